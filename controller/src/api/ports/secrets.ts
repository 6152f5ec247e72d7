/** A secret that accepted objects name, and where it is. Never its value. */
export interface NamedSecret {
  /** `<name>/<key>`, or its path. */
  readonly secret: string
  /** `Agent/default/sre` … */
  readonly namedBy: readonly string[]
  /** Null = nowhere. */
  readonly provider: string | null
  /** Why it cannot be used. */
  readonly problem: string | null
}

export interface SecretReaders {
  /** By name. */
  named(): Promise<readonly NamedSecret[]>
  /** What each place has, by name; null where it cannot tell. */
  stores(): Promise<
    readonly {
      readonly provider: string
      readonly secrets: readonly string[] | null
      readonly problem: string | null
    }[]
  >
}
