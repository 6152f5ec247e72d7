import type { JsonObject } from '../lib/json.ts'
import type { FoundTool } from './lookup.ts'
import type { Capability } from './ports.ts'

export function capabilityOf({ info, ...found }: FoundTool): Capability {
  if (found.is === 'builtin') {
    const { aliases, description, outputSchema, risk, sideEffects } = found.tool
    return { ...info, risk, sideEffects, aliases, description, outputSchema, isBuiltin: true, isRehearsal: false }
  }
  const { aliases = [], description = '', outputSchema, rehearsal } = found.tool.spec
  return {
    risk: 'medium',
    sideEffects: 'irreversible',
    ...info,
    aliases,
    description,
    outputSchema: (outputSchema as JsonObject | undefined) ?? null,
    isBuiltin: false,
    isRehearsal: rehearsal === true,
  }
}
