/** The page of an object, below `/ui`. A kind without namespaces has `-` in its place. */
export function resourceHref(object: {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}): string {
  return `/resources/${object.kind}/${object.namespace === '' ? '-' : object.namespace}/${encodeURIComponent(object.name)}`
}
