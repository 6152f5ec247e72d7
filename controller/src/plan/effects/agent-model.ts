import { canonicalJson } from '../../lib/digest.ts'
import { isObject, type Json, type JsonObject, valueAt } from '../../lib/json.ts'
import { type Around, difference, type Finding, gainedText, worst } from './effect.ts'

/** What becomes different of an agent that is a model. Before null = it is new. */
export function modelFindings(
  before: JsonObject | null,
  after: JsonObject,
  around: Around,
  namespace: string,
): Finding[] {
  const [was, is] = [modelOf(before), modelOf(after)]
  if (is === null) return []
  const findings: Finding[] = []
  const tools = difference(listOf(was?.['tools']), listOf(is['tools']))
  if (tools !== null) {
    const risk = worst(
      tools.gained.map((name) => (name.includes('*') ? 'high' : around.toolRisk('after', name, namespace))),
    )
    findings.push({ effect: 'tools', risk, message: gainedText('is offered', tools), ...tools })
  }
  if (was === null) return findings
  if (backendText(was) !== backendText(is))
    findings.push({
      effect: 'model',
      risk: 'medium',
      message: `asks ${backendText(is)} instead of ${backendText(was)}`,
    })
  const words = ['systemPrompt', 'systemPromptFrom', 'outputSchema']
  if (words.some((field) => canonicalJson(was[field] ?? null) !== canonicalJson(is[field] ?? null)))
    findings.push({ effect: 'prompt', risk: 'medium', message: 'is told something else to be' })
  if (was['privacy'] !== is['privacy'] && is['privacy'] !== 'localOnly')
    findings.push({ effect: 'trust', risk: 'high', message: 'its texts may leave the machines of ours' })
  const tuned = ['temperature', 'maxTokens', 'maxTotalTokens', 'maxTurns', 'timeout', 'maxUsd'].flatMap((field) =>
    was[field] === is[field] ? [] : [`${field} ${said(was[field])} → ${said(is[field])}`],
  )
  if (tuned.length > 0) findings.push({ effect: 'limits', risk: 'low', message: tuned.join(', ') })
  return findings
}

export function modelOf(spec: JsonObject | null): JsonObject | null {
  const model = spec === null ? null : valueAt(spec, '/runtime/model')
  return isObject(model) ? (model as JsonObject) : null
}

/** `model gpt-4o of provider openai`. */
function backendText(model: JsonObject): string {
  const { provider, model: name, route } = model
  const what = name === undefined ? 'a model' : `model ${String(name)}`
  return provider === undefined
    ? `${what} by route ${String(route ?? 'default')}`
    : `${what} of provider ${String(provider)}`
}

const listOf = (value: Json | undefined): string[] => (Array.isArray(value) ? value.map(String) : [])
const said = (value: Json | undefined): string => (value === undefined ? 'unset' : String(value))
