import { pricesOf, providerClass } from '../../kinds/model-provider/model-provider.kind.ts'
import { canonicalJson } from '../../lib/digest.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { formatUsd } from '../../lib/usd.ts'
import { difference, type EffectReader, type Finding, gainedText } from './effect.ts'
import { secretFindings, startedFindings } from './shared-findings.ts'
import { objectsOf } from './spec-parts.ts'

/** Where prompts go, what that costs, and what it may reach. */
export const providerEffects: EffectReader = ({ before, after }) => {
  if (after === null) return [{ effect: 'model', risk: 'medium', message: 'is asked no more' }]
  const findings: Finding[] = []
  const domains = difference(domainsOf(before), domainsOf(after))
  if (domains !== null)
    findings.push({
      effect: 'domains',
      risk: domains.gained.length === 0 ? 'low' : providerClass(after) === 'cloud' ? 'high' : 'medium',
      message: gainedText('sends prompts to', domains),
      ...domains,
    })
  findings.push(...startedFindings(before, after, '/server/command'))
  if (before !== null && providerClass(before) !== providerClass(after))
    findings.push({
      effect: 'trust',
      risk: providerClass(after) === 'local' ? 'high' : 'medium',
      message: `counts as ${providerClass(after)} instead of ${providerClass(before)}`,
    })
  if (before !== null && before['type'] !== after['type'])
    findings.push({
      effect: 'model',
      risk: 'medium',
      message: `is ${String(after['type'])} instead of ${String(before['type'])}`,
    })
  findings.push(...modelFindings(before, after))
  findings.push(...secretFindings(before, after))
  return findings
}

function modelFindings(before: JsonObject | null, after: JsonObject): Finding[] {
  const findings: Finding[] = []
  const models = difference(namesOf(before), namesOf(after))
  if (models !== null)
    findings.push({ effect: 'model', risk: 'medium', message: gainedText('offers', models), ...models })
  if (before === null) return findings
  for (const model of objectsOf(after['models'])) {
    const was = objectsOf(before['models']).find(({ name }) => name === model['name'])
    if (was === undefined) continue
    for (const field of ['temperature', 'maxTokens', 'contextLength', 'layer']) {
      if (was[field] === model[field]) continue
      const message = `${String(model['name'])}: ${field} ${said(was[field])} → ${said(model[field])}`
      findings.push({ effect: 'model', risk: 'low', message })
    }
    const answering = difference(listOf(was['answeredBy']), listOf(model['answeredBy']))
    if (answering !== null)
      findings.push({
        effect: 'trust',
        risk: answering.gained.length > 0 ? 'medium' : 'low',
        message: gainedText(`lets other models answer for ${String(model['name'])}:`, answering),
        ...answering,
      })
    if (was['file'] !== model['file'])
      findings.push({
        effect: 'model',
        risk: 'medium',
        message: `${String(model['name'])}: is read from ${said(model['file'])} instead of ${said(was['file'])}`,
      })
  }
  const [from, to] = [priceText(before), priceText(after)]
  if (from !== to) findings.push({ effect: 'budget', risk: 'medium', message: `costs ${to} instead of ${from}` })
  if (before['script'] !== undefined && canonicalJson(before['script']) !== canonicalJson(after['script'] ?? null))
    findings.push({ effect: 'prompt', risk: 'low', message: 'answers by other rules' })
  return findings
}

/** Which requests go where. */
export const routeEffects: EffectReader = ({ before, after }) => {
  if (after === null)
    return [{ effect: 'model', risk: 'medium', message: 'requests go to providers local before cloud, by priority' }]
  const findings: Finding[] = []
  const backends = difference(backendsOf(before), backendsOf(after))
  if (backends !== null)
    findings.push({ effect: 'model', risk: 'medium', message: gainedText('asks', backends), ...backends })
  else if (before !== null && canonicalJson(before) !== canonicalJson(after))
    findings.push({ effect: 'model', risk: 'medium', message: 'asks the same backends by other rules' })
  return findings
}

function backendsOf(spec: JsonObject | null): string[] {
  if (spec === null) return []
  const refs = [
    ...objectsOf(spec['rules']).flatMap((rule) => objectsOf(rule['backendRefs'])),
    ...objectsOf(spec['fallbacks']),
  ]
  return refs.map(({ provider, model }) =>
    model === undefined ? String(provider) : `${String(provider)}/${String(model)}`,
  )
}

const DEFAULT_DOMAINS: Readonly<Record<string, string>> = {
  openai: 'api.openai.com',
  anthropic: 'api.anthropic.com',
  ollama: '127.0.0.1',
  'llama-cpp': '127.0.0.1',
}

function domainsOf(spec: JsonObject | null): string[] {
  if (spec === null) return []
  const address = spec['baseURL']
  if (typeof address === 'string' && URL.canParse(address)) return [new URL(address).hostname]
  const known = DEFAULT_DOMAINS[String(spec['type'])]
  return known === undefined ? [] : [known]
}

function namesOf(spec: JsonObject | null): string[] {
  return spec === null ? [] : objectsOf(spec['models']).map(({ name }) => String(name))
}

function priceText(spec: JsonObject): string {
  const prices = pricesOf(spec, '')
  if (prices === null) return 'what its models say'
  return `${formatUsd(prices.input)}/${formatUsd(prices.output)} USD a million tokens`
}

const listOf = (value: Json | undefined): string[] => (Array.isArray(value) ? value.map(String) : [])
const said = (value: Json | undefined): string => (value === undefined ? 'unset' : String(value))
