import { type JsonObject, valueAt } from '../../lib/json.ts'
import { difference, type EffectReader, type Finding, gainedText } from './effect.ts'
import { secretsOf } from './spec-parts.ts'

/** What is started, where parameters of calls go, and what secrets go with them. */
export const mcpServerEffects: EffectReader = ({ before, after }) => {
  if (after === null) return [{ effect: 'tools', risk: 'medium', message: 'calls of its tools fail' }]
  const findings: Finding[] = []
  const domains = difference(domainsOf(before), domainsOf(after))
  if (domains !== null)
    findings.push({
      effect: 'domains',
      risk: domains.gained.length === 0 ? 'low' : 'high',
      message: gainedText('sends what tools are called with to', domains),
      ...domains,
    })
  const programs = difference(programsOf(before), programsOf(after))
  if (programs !== null)
    findings.push({
      effect: 'program',
      risk: programs.gained.length === 0 ? 'low' : 'high',
      message: gainedText('starts', programs),
    })
  const secrets = difference(secretsOf(before), secretsOf(after))
  if (secrets !== null)
    findings.push({
      effect: 'secrets',
      risk: secrets.gained.length > 0 ? 'high' : 'low',
      message: gainedText('reads', secrets),
      ...secrets,
    })
  return findings
}

function domainsOf(spec: JsonObject | null): string[] {
  const url = spec === null ? undefined : valueAt(spec, '/http/url')
  return typeof url === 'string' && URL.canParse(url) ? [new URL(url).hostname] : []
}

function programsOf(spec: JsonObject | null): string[] {
  const command = spec === null ? undefined : valueAt(spec, '/stdio/command')
  return Array.isArray(command) ? [command.map(String).join(' ')] : []
}
