import type { HistoryCommit, HistoryPerson, HistoryRepository } from './ports.ts'

/** Where the content of some paths comes from: everybody who wrote it, and the commits that brought it onto the branch. */
export interface ChangeOrigin {
  readonly authors: readonly HistoryPerson[]
  /** First-parent commits that changed the paths since they were applied, the newest first. */
  readonly landings: readonly HistoryCommit[]
}

const MAX_COMMITS = 500

/**
 * Looks back along first parents from `head` until the paths read as they did at `since` (null = they were not there). A merge
 * brings what its other parents' commits wrote; what it says that none of its parents says, whoever made it wrote. At
 * most 500 commits are looked at.
 */
export async function originOf(
  repository: HistoryRepository,
  paths: readonly string[],
  since: string | null,
  head: string,
): Promise<ChangeOrigin> {
  const read = reader(repository, paths)
  const before = since === null ? await read(null) : await read(since)
  const authors: HistoryPerson[] = []
  const landings: HistoryCommit[] = []
  let at: string | null = head
  for (let looked = 0; at !== null && at !== since && looked < MAX_COMMITS; looked++) {
    const content = await read(at)
    if (content === before) break
    const commit: HistoryCommit = await repository.commit(at)
    const parent = commit.parents[0] ?? null
    if ((await read(parent)) !== content) {
      landings.push(commit)
      for (const { author } of await broughtBy(repository, read, commit)) authors.push(author)
    }
    at = parent
  }
  return { authors, landings }
}

/**
 * The commits that made a path read as it does at `head`: the one that landed it last, or, where that is a merge, those of its
 * other parents that wrote what it brought. Empty when the path is not there, or was written too long ago to be found.
 */
export async function writersOf(repository: HistoryRepository, path: string, head: string): Promise<HistoryCommit[]> {
  const read = reader(repository, [path])
  const content = await read(head)
  if (content === '') return []
  let at: string | null = head
  for (let looked = 0; at !== null && looked < MAX_COMMITS; looked++) {
    const commit: HistoryCommit = await repository.commit(at)
    const parent: string | null = commit.parents[0] ?? null
    if ((await read(parent)) === content) {
      at = parent
      continue
    }
    const brought = await broughtBy(repository, read, commit)
    const writers: HistoryCommit[] = []
    for (const one of brought) if ((await read(one.oid)) === content) writers.push(one)
    return writers
  }
  return []
}

/** The commits that wrote what a commit of the branch brought onto it. */
async function broughtBy(
  repository: HistoryRepository,
  read: (commit: string | null) => Promise<string>,
  commit: HistoryCommit,
): Promise<HistoryCommit[]> {
  if (commit.parents.length < 2) return [commit]
  const writers: HistoryCommit[] = []
  const contents = await Promise.all(commit.parents.map(read))
  if (!contents.includes(await read(commit.oid))) writers.push(commit)
  for (const other of commit.parents.slice(1)) {
    for (const brought of await repository.log(commit.parents[0]!, other, MAX_COMMITS)) {
      const own = await read(brought.oid)
      const inherited = await Promise.all((brought.parents.length === 0 ? [null] : brought.parents).map(read))
      if (!inherited.includes(own)) writers.push(brought)
    }
  }
  return writers
}

/** What the paths hold at a commit, as one text to compare. */
function reader(repository: HistoryRepository, paths: readonly string[]): (commit: string | null) => Promise<string> {
  const known = new Map<string | null, Promise<string>>()
  const look = async (commit: string | null): Promise<string> => {
    if (commit === null) return paths.map(() => '').join(' ')
    const { tree } = await repository.commit(commit)
    return (await Promise.all(paths.map(async (path) => (await repository.entry(tree, path))?.oid ?? ''))).join(' ')
  }
  return (commit) => {
    let found = known.get(commit)
    if (found === undefined) {
      found = look(commit)
      known.set(commit, found)
    }
    return found
  }
}
