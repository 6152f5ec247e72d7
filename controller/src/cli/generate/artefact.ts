/** A file of the repository that is made from the source code. */
export interface Artefact {
  /** From the root of the repository. */
  readonly path: string
  /** The whole content; the same for the same source code. */
  readonly render: () => Promise<string>
}
