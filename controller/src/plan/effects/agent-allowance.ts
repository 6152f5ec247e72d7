import { type Json, type JsonObject, valueAt } from '../../lib/json.ts'
import { type Around, difference, type Finding, gainedText, type Risk, worst } from './effect.ts'

/** What an agent is allowed: tools, how much work at once, which files it may propose to change. Before null = it is new. */
export function allowanceFindings(
  before: JsonObject | null,
  after: JsonObject,
  around: Around,
  namespace: string,
): Finding[] {
  return [
    ...toolFindings(before, after, around, namespace),
    ...limitFindings(before, after),
    ...pathFindings(before, after),
  ]
}

/** A list that is left out limits nothing. */
function listAt(spec: JsonObject | null, pointer: string): string[] | null {
  const list: Json | undefined = valueAt(spec, pointer) as Json | undefined
  return Array.isArray(list) ? list.map(String) : null
}

function toolFindings(before: JsonObject | null, after: JsonObject, around: Around, namespace: string): Finding[] {
  const [was, is] = [listAt(before, '/constraints/tools'), listAt(after, '/constraints/tools')]
  if (before === null) return is === null ? [] : [{ effect: 'tools', risk: 'low', message: `may use ${named(is)}` }]
  if (was !== null && is === null) return [{ effect: 'tools', risk: 'high', message: 'may use every tool', lost: was }]
  if (was === null && is !== null)
    return [{ effect: 'tools', risk: 'low', message: `may use only ${named(is)}`, gained: [] }]
  const tools = difference(was ?? [], is ?? [])
  if (tools === null) return []
  // A pattern may stand for any tool, also one that comes later.
  const riskOf = (name: string): Risk => (name.includes('*') ? 'high' : around.toolRisk('after', name, namespace))
  return [{ effect: 'tools', risk: worst(tools.gained.map(riskOf)), message: gainedText('may use', tools), ...tools }]
}

function limitFindings(before: JsonObject | null, after: JsonObject): Finding[] {
  if (before === null) return []
  const changed = ['maxTasks', 'tasksPerMinute'].flatMap((name) => {
    const [from, to] = [valueAt(before, `/constraints/${name}`), valueAt(after, `/constraints/${name}`)]
    return from === to ? [] : [{ text: `${name} ${said(from)} → ${said(to)}`, raised: limitOf(to) > limitOf(from) }]
  })
  if (changed.length === 0) return []
  const risk = changed.some(({ raised }) => raised) ? 'medium' : 'low'
  return [{ effect: 'limits', risk, message: changed.map(({ text }) => text).join(', ') }]
}

function pathFindings(before: JsonObject | null, after: JsonObject): Finding[] {
  const [was, is] = [listAt(before, '/workspace/allowedPaths'), listAt(after, '/workspace/allowedPaths')]
  const findings: Finding[] = []
  if (before === null) return findings
  if (was !== null && is === null)
    findings.push({ effect: 'proposals', risk: 'high', message: 'may propose to change every file', lost: was })
  else if (was === null && is !== null)
    findings.push({ effect: 'proposals', risk: 'low', message: `may propose to change only ${named(is)}` })
  else {
    const paths = difference(was ?? [], is ?? [])
    const message = paths === null ? '' : gainedText('may propose to change', paths)
    if (paths !== null)
      findings.push({ effect: 'proposals', risk: paths.gained.length > 0 ? 'medium' : 'low', message, ...paths })
  }
  const [from, to] = [before, after].map((spec) => valueAt(spec, '/workspace/maxChangedFiles'))
  if (from !== to) {
    const message = `${told(to)} files a proposal instead of ${told(from)}`
    findings.push({ effect: 'proposals', risk: limitOf(to) > limitOf(from) ? 'medium' : 'low', message })
  }
  return findings
}

function named(list: readonly string[]): string {
  return list.length === 0 ? 'nothing' : list.join(', ')
}

function limitOf(value: unknown): number {
  return typeof value === 'number' ? value : Number.POSITIVE_INFINITY
}

function told(value: unknown): string {
  return value === undefined ? 'any number of' : String(value)
}

function said(value: unknown): string {
  return value === undefined ? 'unset' : String(value)
}
