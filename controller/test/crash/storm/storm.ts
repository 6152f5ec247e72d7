import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { type Kill, killAll, killsOf, type Target } from './killer.ts'
import { type Decisions, decideGates, place } from './people.ts'
import { type Exit, type Plant, type Profile, startPlant } from './plant.ts'
import { randomOf } from './random.ts'
import { type Records, recordsOf } from './records.ts'
import { verdictOf } from './verdict.ts'
import { type Order, ordersOf } from './workload.ts'

export interface StormOptions {
  readonly profile: Profile
  /** Everything that is chosen follows from it: what runs, what is killed when, how gates are decided. */
  readonly seed: number
  readonly runs: number
  readonly kills: number
  /** How long nothing may end or begin to wait once nothing is killed any more. */
  readonly calmMs: number
  /** How long all of it may take; then it fails, and ends what it started. */
  readonly limitMs: number
  /** Ends it early, in the same way. */
  readonly signal?: AbortSignal
  readonly log: (line: string) => void
}

export interface StormReport {
  readonly counts: Readonly<Record<string, number>>
  /** What must not be. */
  readonly breaches: readonly string[]
}

/** Runs asked for at once. */
const CLIENTS = 8

/**
 * Runs of every kind while the worker, agents and Postgres are killed, again and again, at random; then calm, until every
 * run has ended or waits; then what is recorded is held against what the observer saw.
 */
export async function storm(options: StormOptions): Promise<StormReport> {
  const { seed, log } = options
  const orders = ordersOf(randomOf(seed, 'orders'), options.runs)
  const kills = killsOf(randomOf(seed, 'kills'), options.kills, options.profile)
  log(
    `${options.profile}, seed ${seed}: ${orders.length} runs, ${kills.length} kills: ${kills.map((kill) => kill.target).join(', ')}`,
  )
  const plant = await startPlant(options.profile)
  const limit = AbortSignal.timeout(options.limitMs)
  const stop = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit])
  try {
    return await Promise.race([weather(plant, orders, kills, options), aborted(stop)])
  } finally {
    await plant.end()
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort')
  throw new Error('the storm was broken off', { cause: signal.reason })
}

async function weather(
  plant: Plant,
  orders: readonly Order[],
  kills: readonly Kill[],
  { seed, calmMs, log }: StormOptions,
): Promise<StormReport> {
  await plant.untilReady()
  const calm = new AbortController()
  const deciding = decideGates(plant, randomOf(seed, 'gates'), calm.signal)
  const pace = kills.reduce((sum, { afterMs }) => sum + afterMs, 0) / orders.length
  const raging = Promise.all([killAll(plant, kills, randomOf(seed, 'victims')), placeAll(plant, orders, pace)])
  // People that cannot decide are a failure at once, not only at the end.
  const [killed] = await Promise.race([raging, deciding.then(() => raging)])
  log('everything is asked for, and nothing is killed any more')
  await plant.untilReady()
  await Promise.race([untilAtRest(plant, calmMs), deciding])
  calm.abort()
  const decisions = await deciding
  const records = await recordsOf(plant)
  const audit = await plant.home.stateward(['audit', 'verify'])
  const stopped = await plant.stop()
  const breaches = [
    ...verdictOf(orders, records),
    ...(audit.code === 0 ? [] : [`the log does not verify: ${audit.stdout}${audit.stderr}`]),
    ...plant.exits.filter(isStrange).map(({ code, said }) => `Stateward ended by itself with ${code}: ${said}`),
    ...(stopped.code === 0 ? [] : [`Ctrl-C ended with ${stopped.code}`]),
    ...stopped.left.map((left) => `left running: ${left}`),
  ]
  return { counts: countsOf({ orders, killed, decisions, records, exits: plant.exits, breaches }), breaches }
}

/** In order, a few at a time, spread over the time of the kills. */
async function placeAll(plant: Plant, orders: readonly Order[], paceMs: number): Promise<void> {
  const queue = [...orders]
  const client = async () => {
    for (let order = queue.shift(); order !== undefined; order = queue.shift()) {
      await place(plant, order)
      await delay(paceMs * CLIENTS)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
}

/**
 * Until nothing moves and nothing is about to (every run has ended or waits for a person, for a second), or until nothing has
 * got less for so long: then something is stuck.
 */
async function untilAtRest(plant: Plant, ms: number): Promise<void> {
  let least = Number.POSITIVE_INFINITY
  let end = performance.now() + ms
  for (let quiet = 0; quiet < 4 && performance.now() < end; await delay(250)) {
    const moving = await plant.read(
      (sql) => sql`
      SELECT run_id FROM runs r WHERE status IN ('created', 'running') AND (owner IS NOT NULL
        OR NOT EXISTS (SELECT 1 FROM gates g WHERE g.run_id = r.run_id AND g.state = 'waiting')
        OR EXISTS (SELECT 1 FROM run_inbox i WHERE i.run_id = r.run_id AND i.consumed_at IS NULL))`,
    )
    const tasks = await plant.read((sql) => sql`SELECT 1 FROM tasks WHERE status IN ('queued', 'leased')`)
    const left = moving.length + tasks.length
    if (left < least) end = performance.now() + ms
    least = Math.min(least, left)
    quiet = left === 0 ? quiet + 1 : 0
  }
}

/** A start that meets a server that was just killed may fail; whoever supervises it tries again. */
function isStrange({ wasReady }: Exit): boolean {
  return wasReady
}

function countsOf(storm: {
  readonly orders: readonly Order[]
  readonly killed: readonly Target[]
  readonly decisions: Decisions
  readonly records: Records
  readonly exits: readonly Exit[]
  readonly breaches: readonly string[]
}): Record<string, number> {
  const { orders, killed, decisions, records, exits, breaches } = storm
  const { runs, effects, gates, lines, stories } = records
  const counts: Record<string, number> = { 'runs asked for': orders.length, runs: runs.length }
  const add = (label: string, list: readonly string[]) => {
    for (const [key, found] of Map.groupBy(list, (item) => item)) counts[`${label} ${key}`] = found.length
  }
  add(
    'runs',
    runs.map(({ status, reason }) => (status === 'running' ? `waiting (${reason})` : status)),
  )
  add('killed:', killed)
  counts['failed starts'] = exits.filter(({ wasReady }) => !wasReady).length
  counts['writers'] = records.writers
  counts['batches'] = records.batches
  add(
    'effects',
    effects.map(({ state, idempotent }) => `${state}${idempotent ? ', idempotent' : ''}`),
  )
  counts['effects seen by the observer'] = lines.filter(({ kind }) => kind !== 'task').length
  counts['effects resumed'] = stories.filter(({ name }) => name.endsWith('step.resumed')).length
  counts['quarantines'] = gates.filter(({ mode }) => mode === 'quarantine').length
  counts['tasks given out again'] = stories.filter(({ name }) => name.endsWith('task.requeued')).length
  counts['attempts after a failure'] = stories.filter(({ name }) => name.endsWith('step.retried')).length
  for (const [said, times] of Object.entries(decisions)) counts[`people: ${said.replaceAll('_', ' ')}`] = times
  counts['breaches'] = breaches.length
  return counts
}
