/** Which branches are proposals, and whose. */

const PREFIX = 'refs/heads/'
const PERSONS = /^proposals\/.+/
const AGENTS = /^agents\/([a-z0-9][a-z0-9.-]*)\/([a-z0-9][a-z0-9.-]*)\/(.+)/

export interface ProposalBranch {
  /** Without `refs/heads/`. */
  readonly branch: string
  /** The agent that a branch `agents/<namespace>/<name>/<task>` belongs to. */
  readonly agent: { readonly namespace: string; readonly name: string } | null
  /** What its id is made of. */
  readonly word: string
}

/** Null for the full name of any other ref. */
export function proposalBranch(ref: string): ProposalBranch | null {
  if (!ref.startsWith(PREFIX)) return null
  const branch = ref.slice(PREFIX.length)
  if (PERSONS.test(branch)) return { branch, agent: null, word: wordOf(branch.slice('proposals/'.length)) }
  const [, namespace, name, task] = AGENTS.exec(branch) ?? []
  if (namespace === undefined || name === undefined || task === undefined) return null
  return { branch, agent: { namespace, name }, word: wordOf(`${name}-${task}`) }
}

export function fullName(branch: string): string {
  return PREFIX + branch
}

/** Where the head of a closed proposal is kept, so that its commits stay. */
export function closedRef(id: string): string {
  return `refs/stateward/proposals/${id}`
}

/** A text as the beginning of an id: a DNS-1123 label. */
export function wordOf(text: string): string {
  const word = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 50)
    .replace(/-+$/, '')
  return word === '' ? 'proposal' : word
}
