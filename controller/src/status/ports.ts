/** The repository the status goes to, as far as status needs it (a part of the source's GitRepository). */
export interface StatusRepository {
  resolve(revision: string): Promise<string | null>
  commit(
    oid: string,
  ): Promise<{ readonly tree: string; readonly message: string; readonly committer: { readonly time: string } }>
  diff(
    from: string | null,
    to: string,
  ): Promise<readonly { readonly path: string; readonly to: { readonly oid: string } | null }[]>
  entry(tree: string, path: string): Promise<{ readonly oid: string } | null>
  writeCommit(request: {
    readonly ref: string
    readonly parent: string | null
    readonly files: ReadonlyMap<string, string | null>
    /** Paths that are executable; left out, each keeps the bit it had. */
    readonly executable?: ReadonlySet<string>
    readonly message: string
    readonly author: { readonly name: string; readonly email: string }
    readonly committer: { readonly name: string; readonly email: string }
    readonly time: Date
  }): Promise<string>
}

/** Sends the local refs to where they came from, and brings what others wrote; null for a repository in place. */
export interface StatusRemote {
  /** All or none, never forced; throws SW_CONFLICT when the remote moved on. */
  push(refs: readonly string[]): Promise<void>
  fetch(refs: readonly string[]): Promise<void>
}
