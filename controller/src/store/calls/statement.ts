import { cleanJson, isSuspect } from '../journal/clean.ts'
import { arrays, cellsOf, selectList, unnest } from '../journal/columns.ts'
import { type DigestedEvent, EVENTS } from '../journal/tables.ts'
import { batchDigest } from '../log-digest.ts'
import type { BudgetRow } from '../queries/budgets.ts'
import type { CostRow } from '../queries/costs.ts'
import type { ModelCallRow } from '../queries/model-calls.ts'
import type { ModelTurnRow } from '../queries/model-loops.ts'
import type { ReservationRow } from '../queries/reservations.ts'

/** What is written of calls that begin or end together. */
export interface CallRows {
  readonly calls: readonly ModelCallRow[]
  readonly costs: readonly CostRow[]
  readonly turns: readonly ModelTurnRow[]
  readonly events: readonly DigestedEvent[]
  /** Null = no account and no limit has to do with it. */
  readonly money: MoneyRows | null
}

/** What changes of accounts and limits, and what it was worked out of. */
export interface MoneyRows {
  /** Where the book of accounts stood; null = no account has to do with it. */
  readonly book: number | null
  /** As they are to be; `version` is what they were worked out of. */
  readonly accounts: readonly BudgetRow[]
  /** Accounts that were not there. */
  readonly absent: readonly string[]
  readonly reservations: readonly ReservationRow[]
  /** Those of the reservations that keep money now. */
  readonly settles: readonly string[]
  /** Providers whose limit a minute it counts against, with what that was worked out of. */
  readonly windows: readonly { readonly provider: string; readonly version: number }[]
}

export interface CallResult {
  readonly held: boolean
  /** What it was worked out of was so still, and it is written. */
  readonly fresh: boolean
  readonly last_seq: number | null
}

const CALL = [
  ...['call_id', 'namespace', 'actor', 'agent', 'run_id', 'step', 'task_id', 'turn', 'route', 'rule', 'complexity'],
  ...['task_class', 'place', 'provider', 'provider_type', 'class', 'model_asked', 'model_answered', 'state', 'cause'],
  ...['problem', 'tokens_expected', 'input_tokens', 'output_tokens', 'usage', 'cost', 'finish_reason', 'started_at'],
  ...['ended_at', 'first_token_ms', 'latency_ms', 'is_reserved', 'prompt_artifact', 'answer_artifact'],
  ...['correlation_id', 'writer'],
] as const satisfies readonly (keyof ModelCallRow)[]
const COST = [
  ...[
    'cost_id',
    'occurred_at',
    'recorded_at',
    'namespace',
    'project',
    'agent',
    'provider',
    'model',
    'task_id',
    'run_id',
  ],
  ...['step', 'blueprint', 'tool', 'revision', 'usage', 'reservation', 'ticket', 'amount', 'tokens', 'input_tokens'],
  ...['output_tokens', 'note', 'recorded_by', 'correlation_id'],
] as const satisfies readonly (keyof CostRow)[]
const TURN = [
  ...['task_id', 'attempt', 'turn', 'call_id', 'text', 'tool_calls', 'results', 'correction', 'tokens', 'cost'],
  ...['prompt_digest', 'at'],
] as const satisfies readonly (keyof ModelTurnRow)[]
const RESERVATION = [
  ...[
    'id',
    'state',
    'accounts',
    'amount',
    'reported',
    'charged',
    'usage',
    'namespace',
    'project',
    'agents',
    'blueprint',
  ],
  ...['run_id', 'step', 'attempt', 'tool', 'provider', 'model', 'revision', 'actor', 'correlation_id', 'created_at'],
  ...['ended_at'],
] as const satisfies readonly (keyof ReservationRow)[]
/** What spending changes of an account. */
const SPENT = ['used', 'reserved', 'told', 'paced_from', 'paced_level', 'exhausted_at'] as const

/** $1 writer, $2 n, $3 events, $4 digest of the events (hex), $5 channel, $6 calls, $7 costs, $8 turns; events; then of money. */
const FIRST_EVENT = 9
const FIRST_MONEY = FIRST_EVENT + EVENTS.length
const [BOOK, ACCOUNTS, ABSENT, RESERVATIONS, SETTLES, WINDOWS] = [0, 1, 2, 3, 4, 5].map((i) => `$${FIRST_MONEY + i}`)
/** JSON travels as text: what the driver takes for JSON, it makes into JSON once more. */
const [CALLS, COSTS, TURNS] = ['$6', '$7', '$8']

const put = (table: string, columns: readonly string[], parameter: string, more = ''): string => `
  INSERT INTO ${table} (${columns.join(', ')})
  SELECT ${columns.join(', ')} FROM jsonb_populate_recordset(NULL::${table}, ${parameter}::text::jsonb) WHERE EXISTS (SELECT FROM fresh) ${more}`

const overwrite = (key: string, columns: readonly string[]): string =>
  `ON CONFLICT (${key}) DO UPDATE SET ${columns.filter((name) => name !== key).map((name) => `${name} = excluded.${name}`)}`

/** Locks in the order of everybody else: the book, limits, reservations, accounts from the top down, and the log's head last. */
const LOCKED = `, book AS MATERIALIZED (
    SELECT version FROM budget_book WHERE one AND ${BOOK}::bigint IS NOT NULL AND EXISTS (SELECT FROM held) FOR SHARE
  ), windows AS MATERIALIZED (
    SELECT w.provider FROM model_windows w
    JOIN jsonb_to_recordset(${WINDOWS}::text::jsonb) AS e (provider text, version bigint) ON w.provider = e.provider AND w.version = e.version
    WHERE (SELECT count(*) FROM book) >= 0 ORDER BY w.provider FOR UPDATE OF w
  ), open AS MATERIALIZED (
    SELECT state = 'reserved' AND reported = 0 AS keeps FROM budget_reservations
    WHERE id = ANY(${SETTLES}::text::text[]) AND (SELECT count(*) FROM windows) >= 0 ORDER BY id FOR UPDATE
  ), accounts AS MATERIALIZED (
    SELECT b.account FROM budgets b
    JOIN jsonb_to_recordset(${ACCOUNTS}::text::jsonb) AS e (account text, version bigint) ON b.account = e.account AND b.version = e.version
    WHERE (SELECT count(*) FROM open) >= 0 ORDER BY b.rank, b.account FOR UPDATE OF b
  )`
const FRESH = `
  SELECT FROM held
  WHERE (${BOOK}::bigint IS NULL OR ${BOOK}::bigint = (SELECT version FROM book))
    AND (SELECT count(*) FROM windows) = jsonb_array_length(${WINDOWS}::text::jsonb)
    AND (SELECT count(*) FROM open WHERE keeps) = cardinality(${SETTLES}::text::text[])
    AND (SELECT count(*) FROM accounts) = jsonb_array_length(${ACCOUNTS}::text::jsonb)
    AND NOT EXISTS (SELECT FROM budgets WHERE account = ANY(${ABSENT}::text::text[]))`
const MONEY = `, limited AS (
    UPDATE model_windows w SET version = w.version + 1
    FROM jsonb_to_recordset(${WINDOWS}::text::jsonb) AS e (provider text) WHERE w.provider = e.provider AND EXISTS (SELECT FROM fresh)
  ), kept AS (${put('budget_reservations', RESERVATION, RESERVATIONS!, overwrite('id', ['state', 'charged', 'usage', 'ended_at']))}
  ), moved AS (
    UPDATE budgets b SET ${SPENT.map((name) => `${name} = e.${name}`).join(', ')}, version = b.version + 1
    FROM jsonb_populate_recordset(NULL::budgets, ${ACCOUNTS}::text::jsonb) e
    WHERE b.account = e.account AND EXISTS (SELECT FROM fresh)
  )`

/**
 * A whole batch in one statement, and so one transaction: it writes when this process holds its lease and everything it was
 * worked out of is as it was, else nothing at all.
 */
function statement(withMoney: boolean): string {
  const names = EVENTS.map(({ name }) => name).join(', ')
  return `WITH held AS MATERIALIZED (SELECT id FROM writers WHERE id = $1::uuid FOR KEY SHARE)
  ${withMoney ? LOCKED : ''}, fresh AS MATERIALIZED (${withMoney ? FRESH : 'SELECT FROM held'})
  ${withMoney ? MONEY : ''}, called AS (${put('model_calls', CALL, CALLS!, overwrite('call_id', CALL))}
  ), spent AS (${put('ledger_entries', COST, COSTS!)}
  ), said AS (${put('model_turns', TURN, TURNS!)}
  ), worked AS (
    UPDATE tasks t SET tokens = t.tokens + e.tokens, cost_nano_usd = t.cost_nano_usd + e.cost
    FROM jsonb_to_recordset(${TURNS}::text::jsonb) AS e (task_id uuid, tokens bigint, cost bigint)
    WHERE t.task_id = e.task_id AND EXISTS (SELECT FROM fresh)
  ), head AS (
    UPDATE log_head h SET seq = h.seq + $3::bigint, hash = sha256(h.hash || decode($4::text, 'hex'))
    FROM fresh WHERE h.one AND $3::bigint > 0 RETURNING h.seq, h.hash
  ), batch AS (
    INSERT INTO log_batches (writer, n, first_seq, last_seq, digest, hash)
    SELECT $1::uuid, $2::bigint, seq - $3::bigint + 1, seq, decode($4::text, 'hex'), hash FROM head
  ), appended AS (
    INSERT INTO events (seq, ${names})
    SELECT head.seq - $3::bigint + e.place, ${selectList(EVENTS, 'e')} FROM head, ${unnest(EVENTS, FIRST_EVENT, 'e')}
  )
  SELECT EXISTS (SELECT FROM held) AS held, EXISTS (SELECT FROM fresh) AS fresh, (SELECT seq FROM head) AS last_seq,
         (SELECT pg_notify($5::text, seq::text) FROM head)`
    .replaceAll(/\s+/g, ' ')
    .trim()
}

const FREE = statement(false)
const PAID = statement(true)

/** Every statement there is. */
export const CALL_STATEMENTS = [FREE, PAID]

export function callBatch(
  { calls, costs, turns, events, money }: CallRows,
  batch: { readonly writer: string; readonly n: number; readonly channel: string },
): { readonly statement: string; readonly parameters: readonly (string | number | null)[] } {
  const digest = batchDigest(events.map((event) => event.digest)).toString('hex')
  const shared = [
    ...[batch.writer, batch.n, events.length, digest, batch.channel],
    ...[jsonOf(calls), jsonOf(costs), jsonOf(turns)],
    ...arrays(
      EVENTS,
      events.map((event) => cellsOf(EVENTS, event)),
    ),
  ]
  if (money === null) return { statement: FREE, parameters: shared }
  const { book, accounts, absent, reservations, settles, windows } = money
  return {
    statement: PAID,
    parameters: [
      ...shared,
      ...[book, jsonOf(accounts), textArray(absent), jsonOf(reservations), textArray(settles), jsonOf(windows)],
    ],
  }
}

function jsonOf(rows: readonly object[]): string {
  const text = JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  return isSuspect(text) ? cleanJson(JSON.parse(text)).text : text
}

function textArray(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join()}}`
}
