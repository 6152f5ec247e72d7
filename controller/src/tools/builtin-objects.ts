import { API_VERSION } from '../kinds/definition.ts'
import type { ObjectView } from '../kinds/resource.ts'
import { sha256 } from '../lib/digest.ts'
import type { JsonObject } from '../lib/json.ts'
import { BUILTIN_TOOLS } from './builtins.ts'
import type { BuiltinTool } from './tool.ts'

/** A UUID that is the same on every start (version 8: made from a digest). */
function uidOf(name: string): string {
  const hex = sha256(`stateward.dev/builtin-tool/${name}`)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function specOf(tool: BuiltinTool): JsonObject {
  const { description, inputSchema, outputSchema, risk, sideEffects, idempotent, aliases, timeout } = tool
  return {
    description,
    executor: { builtin: {} },
    inputSchema,
    outputSchema,
    risk,
    sideEffects,
    idempotent,
    aliases: [...aliases],
    permissions: [...(tool.permissions ?? [tool.name])],
    timeout,
    rehearsal: false,
    ...(tool.rateLimit === undefined ? {} : { rateLimit: { ...tool.rateLimit } }),
    cost: { ...tool.cost },
  }
}

/** The built-in tools as read-only objects of kind Tool, for `get tools`. `startedAt`: UTC, ISO 8601. */
export function builtinToolObjects(namespace: string, startedAt: string): ObjectView[] {
  return BUILTIN_TOOLS.map((tool) => ({
    apiVersion: API_VERSION,
    kind: 'Tool',
    metadata: {
      name: tool.name,
      namespace,
      uid: uidOf(tool.name),
      generation: 1,
      resourceVersion: '0',
      creationTimestamp: startedAt,
    },
    spec: specOf(tool),
    status: {
      observedGeneration: 1,
      builtin: true,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Succeeded',
          message: 'part of Stateward',
          observedGeneration: 1,
          lastTransitionTime: startedAt,
        },
      ],
    },
  }))
}
