import { checkTemplate } from '../expressions/check-template.ts'
import { compileExpression } from '../expressions/compile-expression.ts'
import { tryEvaluate } from '../expressions/evaluate.ts'
import { eventScope } from '../expressions/scope.ts'
import type { EventValue } from '../expressions/values.ts'
import type { SpecProblem } from '../kinds/definition.ts'
import { type SecretRef, secretName } from '../kinds/secret-ref.ts'
import { parseDuration } from '../lib/duration.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { schemaViolations, violationsText } from '../lib/json-schema.ts'
import type { CompiledInput, CompiledSchedule, CompiledTrigger, CompiledWebhook } from './compiled-plan.ts'
import { scheduleProblem } from './cron.ts'
import { nameHint, problem } from './problem.ts'

export interface CompiledTriggers {
  readonly triggers: readonly CompiledTrigger[]
  readonly schedules: readonly CompiledSchedule[]
}

/** The triggers of a spec by what they wait for: events, and times. */
export function compileTriggers(list: readonly JsonObject[], problems: SpecProblem[]): CompiledTriggers {
  const triggers: CompiledTrigger[] = []
  const schedules: CompiledSchedule[] = []
  for (const [i, trigger] of list.entries()) {
    const pointer = `/spec/triggers/${i}`
    if (trigger['schedule'] === undefined) triggers.push(compileTrigger(trigger, pointer, problems))
    else compileSchedule(trigger, pointer, schedules, problems)
  }
  return { triggers, schedules }
}

function compileTrigger(trigger: JsonObject, pointer: string, problems: SpecProblem[]): CompiledTrigger {
  const filter = textOf(trigger, 'filter')
  if (filter !== null) {
    const compiled = compileExpression(filter, eventScope, 'bool')
    if (!compiled.ok) problems.push({ ...compiled.problem, pointer: `${pointer}/filter` })
  }
  const dedupeKey = textOf(trigger, 'dedupeKey')
  if (dedupeKey !== null) problems.push(...checkTemplate(dedupeKey, eventScope, `${pointer}/dedupeKey`).problems)
  const webhook = isObject(trigger['webhook']) ? compileWebhook(trigger['webhook'] as JsonObject) : null
  return {
    event: webhook === null ? (textOf(trigger, 'event') ?? '') : webhookEvent(webhook.name),
    filter,
    dedupeKey,
    dedupeWindowMs: parseDuration(textOf(trigger, 'dedupeWindow') ?? '0s'),
    webhook,
  }
}

/** The event a delivery becomes. */
export function webhookEvent(name: string): string {
  return `webhook.${name}`
}

function compileWebhook(webhook: JsonObject): CompiledWebhook {
  const secretRef = isObject(webhook['secretRef']) ? (webhook['secretRef'] as SecretRef) : {}
  return {
    name: textOf(webhook, 'name') ?? '',
    secretRef: secretName(secretRef),
    header: (textOf(webhook, 'header') ?? 'X-Hub-Signature-256').toLowerCase(),
    timestampHeader: textOf(webhook, 'timestampHeader')?.toLowerCase() ?? null,
    deliveryHeader: (textOf(webhook, 'deliveryHeader') ?? 'X-GitHub-Delivery').toLowerCase(),
    replayWindowMs: parseDuration(textOf(webhook, 'replayWindow') ?? '5m'),
  }
}

function compileSchedule(
  trigger: JsonObject,
  pointer: string,
  schedules: CompiledSchedule[],
  problems: SpecProblem[],
): void {
  const deadline = trigger['startingDeadlineSeconds']
  const compiled: CompiledSchedule = {
    schedule: (textOf(trigger, 'schedule') ?? '').trim().replaceAll(/\s+/g, ' '),
    timeZone: textOf(trigger, 'timeZone') ?? 'UTC',
    concurrencyPolicy: (textOf(trigger, 'concurrencyPolicy') ?? 'Allow') as CompiledSchedule['concurrencyPolicy'],
    startingDeadlineMs: typeof deadline === 'number' ? deadline * 1000 : null,
    inputs: isObject(trigger['inputs']) ? (trigger['inputs'] as JsonObject) : {},
  }
  const wrong = scheduleProblem(compiled)
  if (wrong !== null) {
    const hint =
      wrong.field === 'schedule'
        ? 'write minute, hour, day of month, month and day of week, for example 0 3 * * *'
        : 'write a name of the IANA time zone database, for example Europe/Berlin'
    problems.push(problem('SW_BAD_VALUE', `${pointer}/${wrong.field}`, wrong.message, hint))
  } else if (schedules.some((other) => scheduleTrigger(other) === scheduleTrigger(compiled))) {
    const message = `${compiled.schedule} in ${compiled.timeZone} is there twice`
    problems.push(problem('SW_BAD_VALUE', `${pointer}/schedule`, message, 'remove one of them'))
  }
  schedules.push(compiled)
}

/** `trigger` of the runs a schedule starts, and its identity in a blueprint: other times are another schedule. */
export function scheduleTrigger({ schedule, timeZone }: Pick<CompiledSchedule, 'schedule' | 'timeZone'>): string {
  return `schedule:${schedule} ${timeZone}`
}

/** What schedules give to a run has to be what its inputs take: nobody is there to be asked at three in the morning. */
export function scheduleProblems(list: readonly JsonObject[], inputs: readonly CompiledInput[]): SpecProblem[] {
  return list.flatMap((trigger, i) => {
    if (trigger['schedule'] === undefined) return []
    const given = isObject(trigger['inputs']) ? (trigger['inputs'] as JsonObject) : {}
    return givenProblems(given, inputs, `/spec/triggers/${i}`)
  })
}

function givenProblems(given: JsonObject, inputs: readonly CompiledInput[], pointer: string): SpecProblem[] {
  const names = inputs.map(({ name }) => name)
  const unknown = Object.keys(given)
    .filter((name) => !names.includes(name))
    .map((name) =>
      problem('SW_BAD_VALUE', `${pointer}/inputs/${name}`, `there is no input ${name}`, nameHint(name, names)),
    )
  const wrong = inputs.flatMap((input): SpecProblem[] => {
    const value = given[input.name]
    if (value === undefined) {
      if (!input.required || input.hasDefault || isReadFrom(input, SAMPLE)) return []
      const message = `the input ${input.name} is required, but this schedule does not give it`
      const hint = `add inputs: {${input.name}: …} to the schedule, or a default to the input`
      return [problem('SW_MISSING_FIELD', pointer, message, hint)]
    }
    const violations = input.schema === null ? [] : schemaViolations(input.schema, value)
    if (violations.length === 0) return []
    const message = `the input ${input.name} does not fit its schema: ${violationsText(violations)}`
    return [problem('SW_BAD_VALUE', `${pointer}/inputs/${input.name}`, message, 'give a value that fits')]
  })
  return [...unknown, ...wrong]
}

/** The event a schedule makes, as far as `from` of an input can tell. */
const SAMPLE: EventValue = {
  id: '',
  name: 'stateward.schedule.fired',
  time: '',
  actor: '',
  resource: { type: 'Blueprint', id: '' },
  data: { blueprint: '', namespace: '', schedule: '', time_zone: '', scheduled_at: '' },
}

function isReadFrom(input: CompiledInput, event: EventValue): boolean {
  if (input.from === null) return false
  const result = tryEvaluate(input.from, { event })
  return result.ok ? result.value !== null : result.missingKey === null
}

function textOf(object: Readonly<JsonObject>, field: string): string | null {
  const value = object[field]
  return typeof value === 'string' ? value : null
}
