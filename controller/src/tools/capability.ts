import type { JsonObject } from '../lib/json.ts'
import type { FoundTool } from './lookup.ts'
import type { Capability } from './ports.ts'

export function capabilityOf({ info, ...found }: FoundTool): Capability {
  if (found.is === 'builtin') {
    const { aliases, description, outputSchema, risk, sideEffects } = found.tool
    return {
      ...info,
      risk,
      sideEffects,
      aliases,
      description,
      outputSchema,
      isBuiltin: true,
      isRehearsal: false,
      reachesOut: found.tool.outbound === true,
      isTrusted: true,
      rateLimit: found.tool.rateLimit ?? null,
      redact: [],
    }
  }
  const {
    aliases = [],
    description = '',
    outputSchema,
    rehearsal,
    executor,
    sandbox,
    trusted,
    rateLimit,
    redact = [],
  } = found.tool.spec
  return {
    risk: 'medium',
    sideEffects: 'irreversible',
    ...info,
    aliases,
    description,
    outputSchema: (outputSchema as JsonObject | undefined) ?? null,
    isBuiltin: false,
    isRehearsal: rehearsal === true,
    // A program may: whether it can, its sandbox decides.
    reachesOut: executor.mcp !== undefined || executor.http !== undefined || sandbox?.network !== false,
    isTrusted: trusted === true,
    rateLimit: rateLimit === undefined ? null : { calls: rateLimit.calls, per: rateLimit.per ?? '1m' },
    redact,
  }
}
