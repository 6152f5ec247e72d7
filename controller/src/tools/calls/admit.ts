import { digestOf } from '../../lib/digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { globMatches } from '../../lib/glob.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { NewToolCall, ToolCallRow } from '../../store/queries/tool-calls.ts'
import { checkParameters } from '../parameters.ts'
import type { ToolInfo } from '../ports.ts'
import { callError } from './call-error.ts'
import { shellTexts } from './make-call.ts'
import type { AgentLimits, ToolCallDeps, ToolInvocation } from './ports.ts'

/** Checks a call before anything of it is recorded. Of one that is recorded already, only whether it is the same. */
export function admit(
  deps: Pick<ToolCallDeps, 'tools'>,
  invocation: ToolInvocation,
  row: ToolCallRow | null,
): { readonly tool: ToolInfo | null; readonly digest: string } {
  const { tool: name, namespace, input, actor } = invocation
  const tool = deps.tools.find(name, namespace)
  // A commit may have taken the tool away meanwhile: what was recorded is answered nevertheless.
  const digest = digestOf({ tool: tool?.name ?? row?.tool ?? name, namespace, input, actor })
  if (row !== null) return { tool, digest }
  if (tool === null) throw fail('SW_TOOL_UNKNOWN', `there is no tool ${JSON.stringify(name)} in namespace ${namespace}`)
  checkParameters(tool, shellTexts(tool, input))
  return { tool, digest }
}

/** Agent of a call: the one it names, else the actor. */
function agentOf({ agent, actor, namespace }: ToolInvocation): string | null {
  const own = `agent:${namespace}/`
  return agent ?? (actor.startsWith(own) ? actor.slice(own.length) : null)
}

/** What the row of a call says at its beginning: whether it runs, waits for approvals, or is refused. */
export async function newCall(
  deps: ToolCallDeps,
  id: string,
  invocation: ToolInvocation,
  tool: ToolInfo,
): Promise<NewToolCall> {
  const { namespace, actor, input, run, correlationId, deadline = null } = invocation
  const at = deps.store.clock.now()
  const agent = agentOf(invocation)
  const common = {
    id,
    operation_id: run === null ? `call/${id}` : `${run.id}/${run.step}/${run.attempt}/${id}`,
    namespace,
    tool: tool.name,
    actor,
    agent,
    run_id: run?.id ?? null,
    step: run?.step ?? null,
    attempt: run?.attempt ?? null,
    task_id: invocation.taskId ?? null,
    turn: invocation.turn ?? null,
    call_no: invocation.callNo ?? null,
    idempotent: tool.idempotentFor?.(input) ?? tool.idempotent,
    risk: tool.risk ?? 'high',
    side_effects: tool.sideEffects ?? 'irreversible',
    input,
    request_digest: digestOf({ tool: tool.name, namespace, input, actor }),
    deadline,
    correlation_id: correlationId,
    created_at: at,
  } as const
  const nothing = { owner: null, asked_by: null, approvals: [], error: null, begun_at: null, ended_at: null } as const
  const refused = (error: unknown) =>
    ({ ...common, ...nothing, state: 'refused', error: callError(error), ended_at: at }) as const
  const problem = agent === null ? null : outOfReach(deps.agent(namespace, agent), agent, tool, invocation.tool)
  if (problem !== null) return refused(problem)
  const { approvers = [] } = invocation
  const answer = await deps.policies.ask({
    ...invocation,
    agent,
    tool,
    name: invocation.tool,
    approvers,
    callId: id,
    at,
  })
  if (answer.kind === 'deny') return refused(answer.error)
  if (answer.kind === 'allow')
    return { ...common, ...nothing, state: 'running', owner: deps.store.writer.id, begun_at: at }
  const approvals = answer.approvals.map(({ min, fromAnyOf }): JsonObject => ({ min, fromAnyOf: [...fromAnyOf] }))
  return { ...common, ...nothing, state: 'waiting', asked_by: `${answer.by}: ${answer.reason}`, approvals }
}

/** Whether a capability covers a permission: the same word, or one above it. */
function covers(capability: string, permission: string): boolean {
  return permission === capability || permission.startsWith(`${capability}.`)
}

/** Why an agent may not use a tool, whatever the policies say; null when it may. */
export function outOfReach(
  limits: AgentLimits | null,
  agent: string,
  tool: Pick<ToolInfo, 'name' | 'permissions'>,
  name: string,
): Error | null {
  if (limits === null) return fail('SW_TOOL_FORBIDDEN', `there is no agent ${agent}, so it may call nothing`)
  const { capabilities, tools } = limits
  if (tools !== null && !tools.some((glob) => globMatches(glob, tool.name) || globMatches(glob, name)))
    return fail('SW_TOOL_FORBIDDEN', `${agent} may not call ${tool.name}: its constraints.tools do not name it`, {
      details: { agent, tool: tool.name, tools },
    })
  const missing = (tool.permissions ?? []).filter((one) => !capabilities.some((word) => covers(word, one)))
  if (missing.length === 0) return null
  return fail(
    'SW_TOOL_FORBIDDEN',
    `${agent} may not call ${tool.name}: it needs ${missing.join(', ')}, which no capability of it covers`,
    { details: { agent, tool: tool.name, missing } },
  )
}
