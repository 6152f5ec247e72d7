import { isObject, type Json, type JsonObject, valueAt } from '../../lib/json.ts'
import { difference, type EffectReader, type Finding, gainedText, worst } from './effect.ts'
import { objectsOf, secretsOf } from './spec-parts.ts'
import { wordFindings } from './step-words.ts'

/** What runs of a blueprint may do, what starts them, and what stands in their way. */
export const blueprintEffects: EffectReader = ({ before, after, namespace }, around) => {
  if (after === null)
    return [
      { effect: 'stops', risk: 'medium', message: 'no run of it starts any more; those under way go on as they began' },
    ]
  const [was, is] = [stepsOf(before), stepsOf(after)]
  const findings: Finding[] = []
  const add = (
    effect: Finding['effect'],
    verb: string,
    from: string[],
    to: string[],
    riskOf: (gained: string[]) => Finding['risk'],
  ) => {
    const found = difference(from, to)
    if (found === null) return
    const risk = found.gained.length === 0 ? 'low' : riskOf(found.gained)
    findings.push({ effect, risk, message: gainedText(verb, found), ...found })
  }
  add('triggers', 'is started by', triggersOf(before), triggersOf(after), () => 'medium')
  add('tools', 'calls', toolsOf(was), toolsOf(is), (gained) =>
    worst(gained.map((name) => around.toolRisk('after', name, namespace))),
  )
  add('domains', 'talks to', domainsOf(was), domainsOf(is), () => 'medium')
  add('agents', 'gives work to', agentsOf(was), agentsOf(is), () => 'low')
  add('secrets', 'reads', secretsOf(before), secretsOf(after), () => 'high')
  findings.push(...gateFindings(was, is), ...wordFindings(was, is))
  if (before !== null) findings.push(...limitFindings(before, after))
  return findings
}

interface Step {
  readonly path: string
  readonly fields: JsonObject
}

/** All steps, also those inside of others. */
function stepsOf(spec: JsonObject | null): Step[] {
  const found: Step[] = []
  walk(spec?.['plan'], '')
  return found

  function walk(plan: Json | undefined, above: string): void {
    for (const step of objectsOf(plan)) {
      const path = `${above}${String(step['id'])}`
      found.push({ path, fields: step })
      walk(step['plan'], `${path}.`)
    }
  }
}

function toolsOf(steps: readonly Step[]): string[] {
  return steps.flatMap(({ fields }) =>
    [fields['action'], valueAt(fields, '/undo/action')].filter((name) => typeof name === 'string'),
  )
}

function agentsOf(steps: readonly Step[]): string[] {
  return steps.flatMap(({ fields }) => (typeof fields['agent'] === 'string' ? [fields['agent']] : []))
}

/** Names of the hosts that steps send requests to; one that is worked out may be any. */
function domainsOf(steps: readonly Step[]): string[] {
  return steps.flatMap(({ fields }) => {
    const url = valueAt(fields, '/with/url')
    if (typeof url !== 'string') return []
    const host = /^https?:\/\/(?:[^@/?#]*@)?([^/?#]*)/i.exec(url)?.[1]
    return [host === undefined || host.includes('{{') ? 'any address' : host.toLowerCase()]
  })
}

function triggersOf(spec: JsonObject | null): string[] {
  return objectsOf(spec?.['triggers']).map((trigger) => {
    if (isObject(trigger['webhook'])) return `webhook ${String(trigger['webhook']['name'])}`
    if (trigger['schedule'] !== undefined) return `time ${String(trigger['schedule'])}`
    return `event ${String(trigger['event'])}`
  })
}

/** Gates that are gone, and gates that ask for less. */
function gateFindings(was: readonly Step[], is: readonly Step[]): Finding[] {
  const gates = new Map(is.filter(isGate).map((step) => [step.path, step.fields]))
  return was.filter(isGate).flatMap(({ path, fields: before }): Finding[] => {
    const after = gates.get(path)
    if (after === undefined)
      return [
        { effect: 'gates', risk: 'high', message: `gate ${path} is removed: nobody is asked any more`, lost: [path] },
      ]
    const weaker = weakenings(before, after)
    return weaker.length === 0 ? [] : [{ effect: 'gates', risk: 'high', message: `gate ${path} ${weaker.join(', ')}` }]
  })
}

function isGate({ fields }: Step): boolean {
  return fields['kind'] === 'gate'
}

function weakenings(before: JsonObject, after: JsonObject): string[] {
  const least = (gate: JsonObject) => (typeof gate['min'] === 'number' ? gate['min'] : 1)
  const approvers = (gate: JsonObject) => (Array.isArray(gate['approvers']) ? gate['approvers'].map(String) : [])
  const found: string[] = []
  if (least(after) < least(before)) found.push(`asks for ${least(after)} instead of ${least(before)} approvals`)
  if (approvers(before).length > 0) {
    const more = approvers(after).filter((who) => !approvers(before).includes(who))
    if (approvers(after).length === 0) found.push('may be approved by anybody who may approve')
    else if (more.length > 0) found.push(`may also be approved by ${more.join(', ')}`)
  }
  if (before['selfApproval'] === 'deny' && after['selfApproval'] !== 'deny')
    found.push('may be approved by whoever started the run')
  if (before['onTimeout'] !== 'approve' && after['onTimeout'] === 'approve')
    found.push('approves itself when its time is over')
  if (before['mode'] !== 'policy' && after['mode'] === 'policy') found.push('is decided by policies instead of people')
  return found
}

function limitFindings(before: JsonObject, after: JsonObject): Finding[] {
  const names = ['maxSteps', 'timeout', 'concurrency']
  const changed = names.flatMap((name) => {
    const [from, to] = [valueAt(before, `/limits/${name}`), valueAt(after, `/limits/${name}`)]
    return from === to ? [] : [`${name} ${told(from)} → ${told(to)}`]
  })
  return changed.length === 0 ? [] : [{ effect: 'limits', risk: 'low', message: changed.join(', ') }]
}

function told(value: unknown): string {
  return value === undefined ? 'unset' : String(value)
}
