import type { Executor, Tx } from '../database.ts'

/** Footprints of one day, in UTC, that agree in everything but their run, step and source; those of models by who asked whom, too. */
export interface FootprintRollup {
  /** `2026-03-28`. */
  readonly day: string
  readonly env_id: string
  readonly source_kind: string
  readonly metric: string
  readonly unit: string
  readonly class: string
  /** Null = it was no call of a model, or nobody's who is an agent. */
  readonly agent: string | null
  readonly provider: string | null
  readonly model: string | null
  readonly quantity: number
  /** How many there were. */
  readonly footprints: number
}

/**
 * The first day that is over and not summed up; null when there is none. `today` and the answer are days in UTC. Holds the
 * state to the end of the transaction, so that a day is summed up once.
 */
export async function nextRollupDay(tx: Tx, today: string): Promise<string | null> {
  const [row] = await tx<{ day: string | null }[]>`
    SELECT to_char(coalesce(s.day + 1, (SELECT (min(occurred_at) AT TIME ZONE 'UTC')::date FROM footprints)), 'YYYY-MM-DD') AS day
    FROM footprint_rollup_state s FOR UPDATE OF s`
  return row?.day == null || row.day >= today ? null : row.day
}

/** Sums up a day; how many rows it made. */
export async function rollUpDay(tx: Tx, day: string): Promise<number> {
  const from = new Date(`${day}T00:00:00.000Z`)
  const to = new Date(from.getTime() + 86_400_000)
  const { count } = await tx`
    INSERT INTO footprint_rollups (day, env_id, source_kind, metric, unit, class, agent, provider, model, quantity, footprints)
    SELECT ${day}::date, env_id, source_kind, metric, unit, class, coalesce(dims_json ->> 'gen_ai.agent.name', ''),
           coalesce(dims_json ->> 'provider', ''), coalesce(dims_json ->> 'gen_ai.request.model', ''), sum(quantity), count(*)
    FROM footprints WHERE occurred_at >= ${from} AND occurred_at < ${to}
    GROUP BY 2, 3, 4, 5, 6, 7, 8, 9`
  await tx`UPDATE footprint_rollup_state SET day = ${day}::date`
  return count
}

/** The newest day first. */
export async function footprintRollups(
  sql: Executor,
  page: {
    readonly from: string | null
    readonly to: string | null
    readonly metric: string | null
    readonly agent: string | null
    readonly model: string | null
    readonly offset: number
    readonly limit: number
  },
): Promise<FootprintRollup[]> {
  return sql<FootprintRollup[]>`
    SELECT to_char(day, 'YYYY-MM-DD') AS day, env_id, source_kind, metric, unit, class,
           nullif(agent, '') AS agent, nullif(provider, '') AS provider, nullif(model, '') AS model,
           quantity::float8 AS quantity, footprints::integer AS footprints
    FROM footprint_rollups WHERE true
      ${page.from === null ? sql`` : sql`AND day >= ${page.from}::date`}
      ${page.to === null ? sql`` : sql`AND day <= ${page.to}::date`}
      ${page.metric === null ? sql`` : sql`AND metric = ${page.metric}`}
      ${page.agent === null ? sql`` : sql`AND agent = ${page.agent}`}
      ${page.model === null ? sql`` : sql`AND model = ${page.model}`}
    ORDER BY day DESC, env_id, source_kind, metric, unit, class, agent, provider, model LIMIT ${page.limit} OFFSET ${page.offset}`
}
