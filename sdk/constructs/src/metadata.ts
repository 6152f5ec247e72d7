/** Of an object that every environment sees. */
export interface ClusterMetadata {
  /** Its name: lower-case letters, digits, '-' and '.'. It is its identity, so it is never made up. */
  readonly name: string
  readonly labels?: { readonly [name: string]: string }
  readonly annotations?: { readonly [name: string]: string }
}

/** Of an object of one environment. */
export interface NamespacedMetadata extends ClusterMetadata {
  /** The environment it belongs to. Left out: the source's default namespace. */
  readonly namespace?: string
}
