import { mapShellParameters } from '../../expressions/shell-parameters.ts'
import { compileShellText } from '../../expressions/shell-template.ts'
import { renderTemplate } from '../../expressions/template.ts'
import { secretParameters } from '../../kinds/secret-ref.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { FoundTool } from '../lookup.ts'
import type { Invocation, ToolCall, ToolDependencies } from '../ports.ts'
import type { KeptUndo, UndoStore } from './ports.ts'

/**
 * The undo that a Tool declares: another tool. What the call was asked for is durable before it is made, what it answered
 * before anybody learns of it; as it was declared then it is taken back, whatever the Tool says by now.
 */
type DeclaredUndo = {
  readonly action: string
  readonly with: JsonObject
  readonly inputs: JsonObject
  /** Left out: the call ended without an answer. */
  readonly output?: Json
}

/** Keeps what is needed; `answered` has to be told what the call answered. */
export async function declaredUndo(
  found: FoundTool,
  call: ToolCall,
  undos: Pick<UndoStore, 'learn'>,
  { keep }: Invocation['undo'],
): Promise<{ readonly answered: (output: Json) => Promise<void> }> {
  const undo = found.is === 'declared' ? found.tool.spec.undo : undefined
  if (undo === undefined) return { answered: async () => {} }
  await keep({ undo: { action: undo.action, with: (undo.with ?? {}) as JsonObject, inputs: call.with } })
  return { answered: (output) => undos.learn(call.operationId, { output }) }
}

export function isDeclaredUndo(record: JsonObject): boolean {
  return record['undo'] !== undefined
}

/** Calls the tool that takes it back, under an operation id of its own that stays the same when it is tried again. */
export async function undoAsDeclared(
  entry: KeptUndo,
  by: Invocation,
  { call: tools }: Pick<ToolDependencies, 'call'>,
): Promise<Json> {
  const { undo, output } = entry.record as unknown as { readonly undo: DeclaredUndo; readonly output?: Json }
  const tool = tools?.find(undo.action, entry.namespace) ?? null
  if (tools === undefined || tool === null)
    throw fail('SW_TOOL_UNKNOWN', `${entry.tool} is taken back by ${undo.action}, which is not there`)
  const parameters = renderedParameters(undo, output, tool.inputSchema, entry.tool)
  return tools.run(
    {
      tool: undo.action,
      with: parameters,
      refs: secretParameters(undo.with),
      namespace: entry.namespace,
      operationId: `${entry.operationId}/undo`,
      correlationId: by.correlationId,
      actor: by.actor,
      workspace: entry.workspace,
      deadline: null,
    },
    { signal: by.signal, log: by.log },
  )
}

function renderedParameters(
  undo: DeclaredUndo,
  output: Json | undefined,
  schema: JsonObject,
  tool: string,
): JsonObject {
  // What a shell reads takes no value as text.
  const prepared = mapShellParameters(schema, undo.with, (value) => {
    if (typeof value !== 'string') return value
    const compiled = compileShellText(value)
    if (!compiled.ok) throw fail('SW_TOOL_FAILED', `the undo of ${tool}: ${compiled.problem.message}`)
    return { literal: compiled.shell.literal, args: [...compiled.shell.args] }
  })
  try {
    const variables: Record<string, Json> = output === undefined ? {} : { output }
    return renderTemplate(prepared, { inputs: undo.inputs, variables }) as JsonObject
  } catch (cause) {
    const why = output === undefined ? 'what it answered is not known' : errorMessage(cause)
    throw fail('SW_TOOL_FAILED', `${tool} cannot be taken back: ${why}`, { cause })
  }
}
