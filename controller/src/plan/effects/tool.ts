import { canonicalJson } from '../../lib/digest.ts'
import { isObject, type Json, type JsonObject, valueAt } from '../../lib/json.ts'
import { type EffectReader, type Finding, RISKS, type Risk } from './effect.ts'
import { secretFindings } from './shared-findings.ts'

const EFFECTS_OF_CALLS = ['none', 'reversible', 'irreversible']

/** What a call of a tool does, and what the engine believes of it. */
export const toolEffects: EffectReader = ({ before, after }) => {
  if (after === null) return [{ effect: 'tools', risk: 'medium', message: 'steps that call it fail' }]
  const findings: Finding[] = []
  const risk = riskOf(after)
  if (before === null) findings.push({ effect: 'tools', risk, message: 'steps may call it' })
  else {
    if (canonicalJson(programOf(before)) !== canonicalJson(programOf(after)))
      findings.push({ effect: 'program', risk: 'high', message: programText(before, after) })
    if (RISKS.indexOf(risk) < RISKS.indexOf(riskOf(before)))
      findings.push({ effect: 'trust', risk: 'high', message: `its risk is ${risk} instead of ${riskOf(before)}` })
    const [was, is] = [before['sideEffects'], after['sideEffects']]
    if (EFFECTS_OF_CALLS.indexOf(String(is)) < EFFECTS_OF_CALLS.indexOf(String(was)))
      findings.push({
        effect: 'trust',
        risk: 'high',
        message: `its effects count as ${String(is)} instead of ${String(was)}`,
      })
    if (before['idempotent'] !== true && after['idempotent'] === true)
      findings.push({ effect: 'trust', risk: 'high', message: 'a call whose outcome is unknown is made again' })
  }
  findings.push(...secretFindings(before, after))
  return findings
}

function programText(before: JsonObject, after: JsonObject): string {
  const [was, is] = [valueAt(before, '/executor/mcp'), valueAt(after, '/executor/mcp')]
  if (!isObject(was) || !isObject(is) || was['server'] !== is['server'] || was['tool'] !== is['tool'])
    return 'a call runs another program'
  return `what McpServer ${String(is['server'])} offers as ${String(is['tool'])} is another tool now`
}

export function riskOf(spec: { readonly [field: string]: Json }): Risk {
  const risk = spec['risk']
  return RISKS.find((one) => one === risk) ?? 'medium'
}

function programOf(spec: { readonly [field: string]: Json }): Json {
  return (valueAt(spec, '/executor') ?? null) as Json
}
