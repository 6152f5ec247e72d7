import { type JsonObject, valueAt } from '../../lib/json.ts'
import { difference, type Finding, gainedText } from './effect.ts'
import { secretsOf } from './spec-parts.ts'

/** Secrets that a spec of any kind names. */
export function secretFindings(before: JsonObject | null, after: JsonObject | null): Finding[] {
  const secrets = difference(secretsOf(before), secretsOf(after))
  if (secrets === null) return []
  const risk = secrets.gained.length > 0 ? 'high' : 'low'
  return [{ effect: 'secrets', risk, message: gainedText('reads', secrets), ...secrets }]
}

/** The program of this machine that a spec has started, whose arguments stand at `pointer`. */
export function startedFindings(before: JsonObject | null, after: JsonObject, pointer: string): Finding[] {
  const programsOf = (spec: JsonObject | null): string[] => {
    const command = spec === null ? undefined : valueAt(spec, pointer)
    return Array.isArray(command) ? [command.map(String).join(' ')] : []
  }
  const programs = difference(programsOf(before), programsOf(after))
  if (programs === null) return []
  const risk = programs.gained.length === 0 ? 'low' : 'high'
  return [{ effect: 'program', risk, message: gainedText('starts', programs) }]
}
