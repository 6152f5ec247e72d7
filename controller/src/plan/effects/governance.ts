import { canonicalJson } from '../../lib/digest.ts'
import { type Json, type JsonObject, valueAt } from '../../lib/json.ts'
import { difference, type EffectReader, type Finding, gainedText } from './effect.ts'
import { objectsOf } from './spec-parts.ts'

/** What is allowed: policies, budgets, environments, hosts, decisions. */

export const policyEffects: EffectReader = ({ before, after }) => {
  if (after === null) return [{ effect: 'policy', risk: 'high', message: 'its rules are no longer asked' }]
  if (before === null) {
    const windows = objectsOf(after['windows']).length
    const message = windows > 0 ? `changes wait for ${windows} windows` : `${rulesOf(after).size} rules are asked`
    return [{ effect: 'policy', risk: 'low', message }]
  }
  const findings: Finding[] = []
  if (canonicalJson(before['windows'] ?? null) !== canonicalJson(after['windows'] ?? null))
    findings.push({ effect: 'policy', risk: 'medium', message: 'changes are applied at other times' })
  if (before['enforcement'] !== 'evaluate_only' && after['enforcement'] === 'evaluate_only')
    findings.push({ effect: 'policy', risk: 'high', message: 'it only records what it would decide' })
  if (before['evaluationMode'] !== after['evaluationMode'])
    findings.push({
      effect: 'policy',
      risk: 'high',
      message: `its rules are read as ${String(after['evaluationMode'])} instead of ${String(before['evaluationMode'])}`,
    })
  const [was, is] = [rulesOf(before), rulesOf(after)]
  const names = difference([...was.keys()], [...is.keys()])
  if (names !== null)
    findings.push({
      effect: 'policy',
      risk:
        names.lost.some((id) => was.get(id)!['effect'] !== 'allow') ||
        names.gained.some((id) => is.get(id)!['effect'] === 'allow')
          ? 'high'
          : 'low',
      message: gainedText('has the rules', names),
      ...names,
    })
  const changed = [...is].filter(([id, rule]) => was.has(id) && canonicalJson(was.get(id)!) !== canonicalJson(rule))
  if (changed.length > 0)
    findings.push({
      effect: 'policy',
      risk: 'high',
      message: `rules say something else: ${changed.map(([id]) => id).join(', ')}`,
    })
  return findings
}

function rulesOf(spec: JsonObject): Map<string, JsonObject> {
  return new Map(objectsOf(spec['rules']).map((rule) => [String(rule['id']), rule]))
}

const ACTIONS = ['Alert', 'Throttle', 'Pause', 'Kill']

export const budgetEffects: EffectReader = ({ before, after }) => {
  if (after === null) return [{ effect: 'budget', risk: 'high', message: `the limit of ${amountOf(before!)} is gone` }]
  if (before === null) return [{ effect: 'budget', risk: 'low', message: `limits spending to ${amountOf(after)}` }]
  const findings: Finding[] = []
  if (amountOf(before) !== amountOf(after)) {
    const [from, to] = [perHour(before), perHour(after)]
    findings.push({
      effect: 'budget',
      risk: to > 2 * from ? 'high' : to > from ? 'medium' : 'low',
      message: `${amountOf(after)} may be spent instead of ${amountOf(before)}`,
    })
  }
  if (ACTIONS.indexOf(String(after['action'])) < ACTIONS.indexOf(String(before['action'])))
    findings.push({
      effect: 'budget',
      risk: 'high',
      message: `when it is used up: ${String(after['action'])} instead of ${String(before['action'])}`,
    })
  return findings
}

const HOURS: Readonly<Record<string, number>> = { hour: 1, day: 24, week: 168, month: 730 }

function perHour(spec: JsonObject): number {
  return Number(spec['maxUsd']) / (HOURS[String(spec['window'])] ?? 1)
}

function amountOf(spec: JsonObject): string {
  return `${String(spec['maxUsd'])} USD a ${String(spec['window'])}`
}

const STAGES = ['dev', 'test', 'prod']

export const environmentEffects: EffectReader = ({ before, after }) => {
  if (before === null || after === null)
    return [
      after === null
        ? { effect: 'stage', risk: 'high', message: 'the environment is gone' }
        : { effect: 'stage', risk: 'medium', message: `a new environment, stage ${String(after['stage'])}` },
    ]
  const findings: Finding[] = []
  const stage = (spec: JsonObject) => STAGES.indexOf(String(spec['stage']))
  if (before['stage'] !== after['stage'])
    findings.push({
      effect: 'stage',
      risk: stage(after) < stage(before) ? 'high' : 'medium',
      message: `is ${String(after['stage'])} instead of ${String(before['stage'])}`,
    })
  if (before['class'] !== after['class'])
    findings.push({
      effect: 'stage',
      risk: 'high',
      message: `is of class ${String(after['class'])} instead of ${String(before['class'])}`,
    })
  if (before['autonomy'] !== after['autonomy']) findings.push(autonomyFinding(before, after))
  if (before['inlinePlans'] !== after['inlinePlans'])
    findings.push({
      effect: 'trust',
      risk: after['inlinePlans'] === 'allow' ? 'high' : 'low',
      message: after['inlinePlans'] === 'allow' ? 'runs may bring their own plans' : 'runs follow blueprints only',
    })
  return findings
}

const AUTONOMIES = ['manual', 'supervised', 'full']

/** More autonomy is fewer gates. */
export function autonomyFinding(before: JsonObject, after: JsonObject): Finding {
  const [from, to] = [before['autonomy'] ?? 'supervised', after['autonomy'] ?? 'supervised'].map(String) as [
    string,
    string,
  ]
  const raised = AUTONOMIES.indexOf(to) > AUTONOMIES.indexOf(from)
  return { effect: 'gates', risk: raised ? 'high' : 'low', message: `its autonomy is ${to} instead of ${from}` }
}

export const hostEffects: EffectReader = ({ before, after }) => {
  if (after === null)
    return [
      { effect: 'capacity', risk: 'high', message: `${slotsOf(before!)} slots are gone; its agents move or wait` },
    ]
  if (before === null) return [{ effect: 'capacity', risk: 'low', message: `${slotsOf(after)} more slots` }]
  const findings: Finding[] = []
  if (slotsOf(before) !== slotsOf(after))
    findings.push({
      effect: 'capacity',
      risk: slotsOf(after) < slotsOf(before) ? 'medium' : 'low',
      message: `${slotsOf(before)} → ${slotsOf(after)} slots`,
    })
  if (before['unschedulable'] !== after['unschedulable'])
    findings.push({
      effect: 'capacity',
      risk: 'medium',
      message: after['unschedulable'] === true ? 'takes no new instances' : 'takes new instances again',
    })
  return findings
}

function slotsOf(spec: JsonObject): number {
  const slots: Json | undefined = valueAt(spec, '/capacity/agentSlots') as Json | undefined
  return typeof slots === 'number' ? slots : 0
}

export const approvalEffects: EffectReader = ({ before, after }) => {
  if (before !== null || after === null) return []
  const said = String(after['decision'] ?? 'approve')
  const name = valueAt(after, '/change/name')
  const message =
    name === undefined
      ? `decides a gate: ${said}`
      : `says ${said} of a change of ${String(valueAt(after, '/change/kind'))} ${String(name)}, for whoever signed it`
  return [{ effect: 'decision', risk: 'medium', message }]
}

/** Where desired state is read from, and whether it is applied. */
export const sourceEffects: EffectReader = ({ before, after }) => {
  if (before === null || after === null || before['mode'] === after['mode']) return []
  return [
    after['mode'] === 'observe'
      ? { effect: 'trust', risk: 'high', message: 'commits are only planned, nothing is applied any more' }
      : { effect: 'trust', risk: 'high', message: 'commits are applied from now on' },
  ]
}
