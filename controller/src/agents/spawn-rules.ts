/** What is asked for when an agent is spawned, as far as rules look at it. */
export interface SpawnTerms {
  readonly lifetime: 'longLived' | 'ephemeral'
  readonly parent: string | null
  readonly budgetNanoUsd: number | null
  readonly deadline: Date | null
}

export interface SpawnProblem {
  /** Member of the request. */
  readonly path: string
  readonly message: string
}

/** Agents spawn agents that spawn agents: no deeper than this below a declared one. */
export const MAX_DEPTH = 4
/** Spawned agents of one parent that have not ended. */
export const MAX_CHILDREN = 50

/**
 * What speaks against the terms: an ephemeral agent needs somebody who answers for it (a parent), a limit on what it may
 * spend and a time by which it is gone.
 */
export function spawnProblems(terms: SpawnTerms, now: Date): SpawnProblem[] {
  const problems: SpawnProblem[] = []
  const need = (path: string, value: unknown, why: string) => {
    if (terms.lifetime === 'ephemeral' && value === null)
      problems.push({ path, message: `an ephemeral agent needs ${why}` })
  }
  need('parent', terms.parent, 'a parent that answers for it')
  need('budget_usd', terms.budgetNanoUsd, 'a budget')
  need('deadline', terms.deadline, 'a deadline, or ttl_seconds')
  if (terms.budgetNanoUsd === 0) problems.push({ path: 'budget_usd', message: 'a budget of 0 lets it do nothing' })
  if (terms.deadline !== null && terms.deadline <= now)
    problems.push({ path: 'deadline', message: 'the deadline is in the past' })
  return problems
}
