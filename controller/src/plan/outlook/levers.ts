import { nextTime } from '../../blueprints/cron.ts'
import { canonicalJson } from '../../lib/digest.ts'
import { type Json, type JsonObject, valueAt } from '../../lib/json.ts'
import { objectsOf } from '../effects/spec-parts.ts'
import type { Moved } from './moved.ts'

/** What a change does to what an object costs: so many times as much. `times` null = nobody can say yet. */
export interface Lever {
  readonly times: readonly [to: number, from: number] | null
  /** Nano-USD a month on top of it, or off it, before it is multiplied. */
  readonly adds?: bigint
  /** In words: `replicas 1 → 4`. */
  readonly why: string
}

const DAY_MS = 86_400_000
/** Times of a schedule that are counted one by one; the rest follows from them. */
const COUNTED = 1_000

/**
 * Everything in a change that moves what it costs; none = it costs what it did. `from`: schedules are counted from here on.
 * `swapped`: what another model costs for the same tokens; null = nobody can say.
 */
export function leversOf({ kind, before, after }: Moved, from: Date, swapped: Lever | null = null): Lever[] {
  if (before === null) return [{ times: null, why: 'nothing of it has run yet' }]
  if (after === null) return [{ times: [0, 1], why: 'it is gone' }]
  const levers = suspension(before, after)
  if (kind === 'Agent') levers.push(...replicaLever(before, after), ...programLever(before, after, swapped))
  if (kind === 'Blueprint') levers.push(...triggerLever(before, after, from), ...modelLever(before, after, swapped))
  return levers
}

function suspension(before: JsonObject, after: JsonObject): Lever[] {
  const [was, is] = [before['suspend'] === true, after['suspend'] === true]
  if (was === is) return []
  return is
    ? [{ times: [0, 1], why: 'it is suspended' }]
    : [{ times: null, why: 'it was suspended, and what it costs when it is not was not seen' }]
}

function replicaLever(before: JsonObject, after: JsonObject): Lever[] {
  const [from, to] = [before, after].map(({ replicas }) => (typeof replicas === 'number' ? replicas : 1)) as [
    number,
    number,
  ]
  if (from === to) return []
  const why = `replicas ${from} → ${to}`
  return [from === 0 ? { times: null, why: `${why}: what one costs was not seen` } : { times: [to, from], why }]
}

/** What thinks: another program or model has prices and habits of its own. */
const THINKING = [
  '/runtime/process/command',
  '/runtime/pod/image',
  '/runtime/pod/command',
  '/runtime/model',
  '/modelRef',
  '/model',
] as const

function programLever(before: JsonObject, after: JsonObject, swapped: Lever | null): Lever[] {
  const changed = THINKING.filter((pointer) => !same(at(before, pointer), at(after, pointer)))
  if (swapped !== null && changed.length === 1) return [swapped]
  return changed.length > 0
    ? [{ times: null, why: 'what it costs with another program or model shows when it has run' }]
    : []
}

function modelLever(before: JsonObject, after: JsonObject, swapped: Lever | null): Lever[] {
  const [was, is] = [before, after].map((spec) => modelsOf(spec['plan']))
  if (same(was, is)) return []
  return swapped !== null
    ? [swapped]
    : [{ times: null, why: 'what its steps cost with other models or agents shows when they have run' }]
}

/** Who or what does each step, in their order. */
function modelsOf(plan: Json | undefined): Json[] {
  return objectsOf(plan).flatMap((step): Json[] => [
    [
      step['kind'] ?? null,
      step['agent'] ?? null,
      step['provider'] ?? null,
      step['model'] ?? at(step, '/with/model') ?? null,
    ],
    ...modelsOf(step['plan']),
  ])
}

/** Schedules tell how often they come; of events nobody knows. */
function triggerLever(before: JsonObject, after: JsonObject, from: Date): Lever[] {
  const [was, is] = [before, after].map((spec) => objectsOf(spec['triggers'])) as [JsonObject[], JsonObject[]]
  if (same(was, is)) return []
  const unknown: Lever = { times: null, why: 'how often events start it is not known' }
  if (!same(eventsOf(was), eventsOf(is))) return [unknown]
  if (same(scheduled(was), scheduled(is))) return []
  if (eventsOf(is).length > 0) return [unknown]
  const [fromRuns, toRuns] = [monthly(was, from), monthly(is, from)]
  if (fromRuns === toRuns) return []
  const why = `${fromRuns} → ${toRuns} scheduled runs a month`
  return [
    fromRuns === 0 ? { times: null, why: `${why}: what one costs was not seen` } : { times: [toRuns, fromRuns], why },
  ]
}

function scheduled(triggers: readonly JsonObject[]): Json[] {
  return triggers.flatMap(({ schedule, timeZone }) =>
    typeof schedule === 'string' ? [[schedule, timeZone ?? 'UTC']] : [],
  )
}

/** What else starts it, by what says how often that comes. */
function eventsOf(triggers: readonly JsonObject[]): Json[] {
  return triggers
    .filter(({ schedule }) => typeof schedule !== 'string')
    .map((trigger) => [trigger['event'] ?? null, trigger['filter'] ?? null, at(trigger, '/webhook/name') ?? null])
}

/** Runs in 30 days. */
function monthly(triggers: readonly JsonObject[], from: Date): number {
  return scheduled(triggers).reduce<number>((sum, each) => {
    const [schedule, timeZone] = each as [string, string]
    return sum + timesAMonth({ schedule, timeZone }, from)
  }, 0)
}

function timesAMonth(when: { readonly schedule: string; readonly timeZone: string }, from: Date): number {
  const end = from.getTime() + 30 * DAY_MS
  const first = nextTime(when, from)
  let at = first
  for (let count = 0; ; count++) {
    if (first === null || at === null || at.getTime() > end) return count
    if (count === COUNTED) return Math.round((count * 30 * DAY_MS) / (at.getTime() - first.getTime()))
    at = nextTime(when, at)
  }
}

function at(spec: JsonObject, pointer: string): Json | undefined {
  return valueAt(spec, pointer) as Json | undefined
}

function same(a: Json | undefined, b: Json | undefined): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null)
}
