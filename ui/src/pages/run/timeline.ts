import type { RunGraphNode } from '../../api/reads.ts'

/** One attempt of a step as a bar: milliseconds since 1970; `to` null = it goes on. */
export interface Attempt {
  readonly attempt: number
  readonly status: string
  readonly from: number
  readonly to: number | null
}

export interface Row {
  readonly path: string
  readonly name: string
  readonly kind: string
  readonly depth: number
  readonly status: string
  readonly attempts: readonly Attempt[]
}

export interface StepTimes {
  readonly path: string
  readonly attempt: number
  readonly status: string
  readonly started_at: string | null
  readonly completed_at: string | null
}

/** The steps that have begun, as rows of a timeline in the order of the plan, each with its attempts. Pure. */
export function timelineRows(nodes: readonly RunGraphNode[], steps: readonly StepTimes[]): Row[] {
  const attempts = Map.groupBy(steps, ({ path }) => path)
  const depths = new Map<string, number>()
  return nodes.map((node) => {
    const depth = node.container === null ? 0 : (depths.get(node.container) ?? 0) + 1
    depths.set(node.path, depth)
    const known: readonly StepTimes[] = attempts.get(node.path) ?? [node]
    return {
      path: node.path,
      name: node.iteration === null ? node.name : `[${node.iteration}] ${node.name}`,
      kind: node.kind,
      depth,
      status: node.status,
      attempts: known
        .flatMap((each) =>
          each.started_at === null
            ? []
            : [
                {
                  attempt: each.attempt,
                  status: each.status,
                  from: Date.parse(each.started_at),
                  to: each.completed_at === null ? null : Date.parse(each.completed_at),
                },
              ],
        )
        .sort((a, b) => a.from - b.from),
    }
  })
}

export interface Scale {
  readonly from: number
  readonly to: number
  /** The share of the whole, 0 to 1, at which a moment stands. */
  at(time: number): number
  readonly ticks: readonly { readonly at: number; readonly afterMs: number }[]
}

const STEPS_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1_000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 3, 6, 12].map((hours) => hours * 3_600_000),
]
const DAY_MS = 86_400_000

/**
 * The scale of a timeline from the first moment to the last one (or `now`, while something goes on), with at most `most`
 * ticks at round distances from the beginning. Pure.
 */
export function timeScale(
  rows: readonly Row[],
  run: { from: number; to: number | null },
  now: number,
  most: number,
): Scale {
  const bars = rows.flatMap(({ attempts }) => attempts)
  const from = Math.min(run.from, ...bars.map((bar) => bar.from))
  const to = Math.max(from + 1, ...bars.map((bar) => bar.to ?? now), run.to ?? now)
  const length = to - from
  const step = STEPS_MS.find((each) => length / each <= most) ?? Math.ceil(length / most / DAY_MS) * DAY_MS
  const ticks = Array.from({ length: Math.floor(length / step) + 1 }, (_, i) => ({
    at: (i * step) / length,
    afterMs: i * step,
  }))
  return { from, to, at: (time) => Math.min(1, Math.max(0, (time - from) / length)), ticks }
}
