import { fail } from '../../lib/error-catalogue.ts'
import type { Json } from '../../lib/json.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'
import { isDeclaredUndo, undoAsDeclared } from './declared-undo.ts'
import { undoerOf } from './undoers.ts'

async function run(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const { undos } = dependencies
  const { call: id } = call.parameters as { call: string }
  const entry = await undos.find(id)
  const isSeen = entry !== null && entry.namespace === call.use.namespace
  // An agent takes back what it did itself.
  if (!isSeen || (call.actor.startsWith('agent:') && entry.actor !== call.actor))
    throw fail('SW_NOT_FOUND', `nothing is kept of a call ${id} that could be taken back`, {
      remedy: 'only calls of tools whose side effects are reversible can be taken back',
    })
  const undo = isDeclaredUndo(entry.record) ? null : undoerOf(entry.tool)
  if (undo === null && !isDeclaredUndo(entry.record)) throw fail('SW_TOOL_FAILED', `${entry.tool} cannot be taken back`)
  if (entry.undoneAt !== null) return { call: id, tool: entry.tool, undone: true, already: true }
  const result =
    undo === null
      ? await undoAsDeclared(entry, call, dependencies)
      : await undo(entry, await undos.folder(entry.operationId), { call, dependencies })
  await undos.undone(entry.operationId, { actor: call.actor, correlationId: call.correlationId })
  return { call: id, tool: entry.tool, undone: true, result }
}

export const toolUndo: BuiltinTool = {
  name: 'tool.undo',
  aliases: ['tool_undo'],
  description:
    'Takes a call of a reversible tool back: what it overwrote, deleted, moved or committed is as it was before, a process that it started has ended; of a tool that declares an undo, that is called.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['call'],
    properties: {
      call: {
        type: 'string',
        minLength: 1,
        maxLength: 1024,
        description: 'Id of the call; of a step, <run id>/<step>/<attempt>.',
      },
    },
  },
  outputSchema: {
    type: 'object',
    required: ['call', 'tool', 'undone'],
    properties: { call: { type: 'string' }, tool: { type: 'string' }, undone: { type: 'boolean' } },
  },
  risk: 'medium',
  sideEffects: 'irreversible',
  idempotent: true,
  usesWorkspace: false,
  cost: { estimatedCents: 0, estimatedLatencyMs: 200 },
  timeout: '5m',
  run,
}
