/** The part of the state repo that tells where a change comes from. */
export interface HistoryRepository {
  commit(oid: string): Promise<HistoryCommit>
  entry(tree: string, path: string): Promise<{ readonly oid: string } | null>
  log(from: string | null, to: string, limit: number): Promise<readonly HistoryCommit[]>
}

export interface HistoryCommit {
  readonly oid: string
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: HistoryPerson
  readonly committer: HistoryPerson
}

export interface HistoryPerson {
  readonly name: string
  readonly email: string
  /** UTC, ISO 8601. */
  readonly time: string
}
