import type { Run } from '../../api/reads.ts'

/**
 * One list out of the newest page (read again whenever something happens), what was scrolled to (read once), and runs of that
 * part which moved since. Newest first, each once; what no longer has a status that is asked for is left out. Pure.
 */
export function mergeRuns(
  head: readonly Run[],
  older: readonly Run[],
  moved: ReadonlyMap<string, Run>,
  statuses: ReadonlySet<string> | null,
): readonly Run[] {
  const shown = new Set(head.map(({ run_id }) => run_id))
  const last = head.at(-1)
  const rest: Run[] = []
  for (const run of older) {
    if (shown.has(run.run_id)) continue
    const now = moved.get(run.run_id) ?? run
    // Within the reach of the newest page, what it does not have is no longer of this list.
    if (last !== undefined && isNewer(run, last) && older.length > head.length) continue
    if (statuses === null || statuses.has(now.status)) rest.push(now)
  }
  return [...head, ...rest]
}

/** Whether more was made since than the newest page holds: then there is a gap before what was scrolled to. */
export function hasGap(head: readonly Run[], older: readonly Run[], isWholeHead: boolean): boolean {
  const last = head.at(-1)
  const first = older[0]
  return !isWholeHead && last !== undefined && first !== undefined && isNewer(last, first)
}

function isNewer(a: Run, b: Run): boolean {
  return a.created_at > b.created_at || (a.created_at === b.created_at && a.run_id > b.run_id)
}
