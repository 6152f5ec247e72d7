/** What one version of a blueprint or an agent spent. */
export interface SpentByRevision {
  readonly kind: 'Blueprint' | 'Agent'
  readonly namespace: string
  readonly name: string
  /** The commit that made it as it was. */
  readonly revision: string
  /** Who brought the commit; null = it is not known any more. */
  readonly actor: string | null
  /** Nano-USD. */
  readonly amount: bigint
  /** Runs, or tasks outside of runs. */
  readonly runs: number
  readonly first: Date
}

/** The same, with what the change did to the price of a run. */
export interface Blame extends SpentByRevision {
  /** Nano-USD, rounded down. */
  readonly perRun: bigint
  /** Of the version before; null = it is the first that is known. */
  readonly perRunBefore: bigint | null
  /** What its runs cost more than they would have before; below 0 = less. Of the first version: all of it. */
  readonly added: bigint
}

/** Which commits made the spending: what was added by each, the most first. Pure. */
export function blame(spent: readonly SpentByRevision[]): Blame[] {
  const objects = Map.groupBy(spent, ({ kind, namespace, name }) => `${kind}/${namespace}/${name}`)
  const blames = [...objects.values()].flatMap((versions) => {
    const inOrder = versions.toSorted((a, b) => a.first.getTime() - b.first.getTime())
    return inOrder.map((version, index) => compared(version, inOrder[index - 1] ?? null))
  })
  return blames.sort((a, b) => (a.added === b.added ? 0 : a.added < b.added ? 1 : -1))
}

function compared(version: SpentByRevision, before: SpentByRevision | null): Blame {
  const perRun = version.amount / BigInt(Math.max(1, version.runs))
  if (before === null) return { ...version, perRun, perRunBefore: null, added: version.amount }
  const runsBefore = BigInt(Math.max(1, before.runs))
  const added = version.amount - (before.amount * BigInt(version.runs)) / runsBefore
  return { ...version, perRun, perRunBefore: before.amount / runsBefore, added }
}
