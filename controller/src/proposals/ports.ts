/** The part of the state repo's GitRepository that proposals write with. */
export interface ProposalRepository {
  resolve(revision: string): Promise<string | null>
  readFile(ref: string, path: string, options: { readonly maxBytes: number }): Promise<Uint8Array | null>
  writeCommit(request: {
    readonly ref: string
    readonly parent: string | null
    readonly expected: string | null
    /** null deletes. */
    readonly files: ReadonlyMap<string, string | null>
    readonly message: string
    readonly author: { readonly name: string; readonly email: string }
    readonly committer: { readonly name: string; readonly email: string }
    readonly time: Date
  }): Promise<string>
}
