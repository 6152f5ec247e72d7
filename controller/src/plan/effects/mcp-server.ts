import { type JsonObject, valueAt } from '../../lib/json.ts'
import { difference, type EffectReader, type Finding, gainedText } from './effect.ts'
import { secretFindings, startedFindings } from './shared-findings.ts'

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
  findings.push(...startedFindings(before, after, '/stdio/command'))
  const trusts = (spec: JsonObject | null): boolean => spec !== null && valueAt(spec, '/stdio/trusted') === true
  if (trusts(after) && !trusts(before))
    findings.push({ effect: 'trust', risk: 'high', message: 'its program runs as it is, and not in a sandbox' })
  findings.push(...secretFindings(before, after))
  return findings
}

function domainsOf(spec: JsonObject | null): string[] {
  if (spec === null) return []
  // Credentials go to its authorization server.
  const urls = [valueAt(spec, '/http/url'), valueAt(spec, '/http/oauth/issuer')]
  return urls.flatMap((url) => (typeof url === 'string' && URL.canParse(url) ? [new URL(url).hostname] : []))
}
