import type { Effect, Line, Records, Run, Story } from './records.ts'
import { LOOK, type Order } from './workload.ts'

/** What must hold after a storm, whatever was killed. Each breach is a line. */
export function verdictOf(orders: readonly Order[], records: Records): string[] {
  const stories = Map.groupBy(records.stories, ({ run_id }) => run_id)
  const runIds = new Set(records.runs.map(({ run_id }) => run_id))
  const effects = records.effects.filter(({ run_id }) => runIds.has(run_id))
  return [
    ...noRunIsLost(orders, records.runs),
    ...everyRunHasEndedOrWaits(records),
    ...everyResultIsRight(orders, records.runs),
    ...noRecordedEffectIsRepeated(effects, records),
    ...records.runs.flatMap((run) => nothingHappensTwice(run, stories.get(run.run_id) ?? [])),
    ...nobodyOwnsWhatAnotherOwns(records, stories),
    ...records.openTasks.map(({ task_id, status }) => `task ${task_id} is ${status} though nothing runs any more`),
    ...records.ghosts.map((ghost) => `an instance counts as living and does not: ${ghost}`),
  ]
}

const ENDED = ['completed', 'failed', 'cancelled']
/** Ways to fail that a storm may bring about: a person said so, or an agent was killed too often. */
const EXPECTED_FAILURES = ['gate_rejected', 'effect_unknown', 'agent_failed']

function noRunIsLost(orders: readonly Order[], runs: readonly Run[]): string[] {
  const byTag = Map.groupBy(runs, ({ tag }) => tag)
  return orders.flatMap(({ tag, by, blueprint }) => {
    const count = byTag.get(tag)?.length ?? 0
    return count === 1 ? [] : [`${tag} (${blueprint}, by ${by}) was acknowledged and has ${count} runs`]
  })
}

function everyRunHasEndedOrWaits({ runs, gates }: Records): string[] {
  const waiting = new Set(gates.filter(({ state }) => state === 'waiting').map(({ run_id }) => run_id))
  return runs.flatMap((run) => {
    if (run.owner !== null) return [`${nameOf(run)} is ${run.status} and still has an owner`]
    if (ENDED.includes(run.status)) {
      if (waiting.has(run.run_id)) return [`${nameOf(run)} is ${run.status}, and a gate of it waits`]
      if (run.status === 'failed' && !EXPECTED_FAILURES.includes(run.error?.code ?? ''))
        return [`${nameOf(run)} failed: ${JSON.stringify(run.error)}`]
      return []
    }
    return waiting.has(run.run_id) ? [] : [`${nameOf(run)} is ${run.status} (${run.reason}) and waits at no gate`]
  })
}

function everyResultIsRight(orders: readonly Order[], runs: readonly Run[]): string[] {
  const expected = new Map(orders.map(({ tag, result }) => [tag, result]))
  return runs
    .filter(({ status, tag, result }) => status === 'completed' && (expected.get(tag) ?? result) !== result)
    .map((run) => `${nameOf(run)} has the result ${JSON.stringify(run.result)}, not ${expected.get(run.tag)}`)
}

function noRecordedEffectIsRepeated(effects: readonly Effect[], { lines, gates, stories }: Records): string[] {
  const byOperation = new Map(effects.map((effect) => [effect.operation_id, effect]))
  const seen = Map.groupBy(lines, (line) => operationOf(line, effects))
  const byHand = new Set(
    gates.filter(({ mode }) => mode === 'quarantine').map(({ run_id, path }) => `${run_id}/${path}`),
  )
  const breaches: string[] = []
  for (const [operation, found] of seen) {
    if (operation === null) continue
    if (!byOperation.has(operation)) breaches.push(`${operation} took effect ${found.length} times without an intent`)
  }
  const resumed = Map.groupBy(
    stories.filter(({ name }) => name === 'stateward.run.step.resumed'),
    ({ data }) => data.operation_id ?? '',
  )
  for (const effect of effects) {
    const { operation_id: operation, run_id, path, idempotent, state } = effect
    const times = seen.get(operation)?.length ?? 0
    const decided = byHand.has(`${run_id}/${path}`)
    const most = idempotent ? 1 + (resumed.get(operation)?.length ?? 0) : 1
    if (times > most) breaches.push(`${operation} (${state}) took effect ${times} times, at most ${most} are right`)
    if (state === 'succeeded' && times === 0 && !decided && effect.tool !== LOOK)
      breaches.push(`${operation} is recorded and never took effect`)
    if (state === 'intent') breaches.push(`${operation} has an intent and no outcome, though its run does not move`)
  }
  return [...breaches, ...noStepTakesEffectTwice(effects, seen, stories)]
}

/** Further attempts of a step come after a failure, or when a person said so: at most one effect for each such word. */
function noStepTakesEffectTwice(
  effects: readonly Effect[],
  seen: ReadonlyMap<string | null, readonly Line[]>,
  stories: readonly Story[],
): string[] {
  const words = Map.groupBy(
    stories.filter(({ name, data }) => name.endsWith('.step.retried') && data.error?.code === 'effect_unknown'),
    ({ run_id, data }) => `${run_id}/${data.step}`,
  )
  const once = effects.filter(({ idempotent }) => !idempotent)
  return [...Map.groupBy(once, ({ run_id, path }) => `${run_id}/${path}`)].flatMap(([step, attempts]) => {
    const times = attempts.reduce((sum, { operation_id }) => sum + (seen.get(operation_id)?.length ?? 0), 0)
    const most = 1 + (words.get(step)?.length ?? 0)
    return times > most ? [`${step} took effect ${times} times, at most ${most} are right`] : []
  })
}

/** The operation a line is about. A request without a key says its run and step, of which there was one attempt. */
function operationOf({ operation, run, step }: Line, effects: readonly Effect[]): string | null {
  if (operation !== null || run === undefined) return operation
  return effects.find(({ run_id, path }) => run_id === run && path === step)?.operation_id ?? `${run}/${step}`
}

function nothingHappensTwice(run: Run, stories: readonly Story[]): string[] {
  const times = (what: string) => stories.filter(({ name }) => name === `stateward.run.${what}`).length
  const breaches: string[] = []
  if (times('created') !== 1) breaches.push(`${nameOf(run)} was created ${times('created')} times`)
  if (times('started') > 1) breaches.push(`${nameOf(run)} was started ${times('started')} times`)
  const ends = times('completed') + times('failed') + times('cancelled')
  if (ends !== (ENDED.includes(run.status) ? 1 : 0))
    breaches.push(`${nameOf(run)} is ${run.status}, and ended ${ends} times`)
  const completed = stories.filter(({ name }) => name === 'stateward.run.step.completed')
  for (const [step, found] of Map.groupBy(completed, ({ data }) => data.step)) {
    if (found.length > 1) breaches.push(`${nameOf(run)} completed step ${step} ${found.length} times`)
  }
  return breaches
}

/** Written by whoever serves a request or reads triggers, not by the run's owner. */
const NOT_BY_THE_OWNER =
  /^stateward\.(run\.(created|cancel\.requested|rebuilt|gate\.(approved|rejected|seconded))|task\.)/

/**
 * A run goes from one owner to another only when the first one is gone for good, or has nothing of it under way: it never
 * gives a run up in the middle of a call.
 */
function nobodyOwnsWhatAnotherOwns({ stories: all }: Records, byRun: ReadonlyMap<string, readonly Story[]>): string[] {
  const lastOf = new Map<string, number>()
  for (const { writer, seq } of all) lastOf.set(writer, seq)
  const breaches: string[] = []
  for (const [runId, stories] of byRun) {
    const calls = new Set<string>()
    let owner: string | null = null
    for (const { name, writer, seq, data } of stories) {
      if (!name.startsWith('stateward.run.') || NOT_BY_THE_OWNER.test(name)) continue
      if (owner !== null && owner !== writer && lastOf.get(owner)! > seq && calls.size > 0)
        breaches.push(`run ${runId} went from ${owner} to ${writer} at ${seq} while ${[...calls].join()} was under way`)
      owner = writer
      if (data.kind !== 'action_task' || data.step === undefined) continue
      if (name.endsWith('.step.started')) calls.add(data.step)
      else if (!name.endsWith('.step.resumed')) calls.delete(data.step)
    }
  }
  return breaches
}

function nameOf(run: Run): string {
  return `${run.name} (${run.tag})`
}
