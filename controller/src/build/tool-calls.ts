import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openPurse } from '../budgets/purse.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { World } from '../reconcile/world.ts'
import type { EnvironmentOf, ToolPermits } from '../runs/ports.ts'
import type { Store } from '../store/store.ts'
import { outOfReach } from '../tools/calls/admit.ts'
import type { AgentLimits, CallAnswer, CallPolicies, CallQuestion, CallScope } from '../tools/calls/ports.ts'
import { createToolCalls, type ToolCalls } from '../tools/calls/tool-calls.ts'
import type { ToolRunner } from '../tools/ports.ts'
import type { FreezeWatch } from './freeze.ts'
import { detailsOf, nameOf, type Policies } from './policies.ts'

/** Copies of what tools changed, so that it can come back. */
export function undoFolderOf(data: string): string {
  return join(data, 'undo')
}

/** Calls of tools outside of steps, on the parts of a process. */
export function toolCallsOf(parts: {
  readonly store: Store
  readonly tools: ToolRunner
  readonly policies: Policies
  readonly world: World
  readonly environments: EnvironmentOf
  readonly freeze: FreezeWatch
  /** The data folder. */
  readonly data: string
}): ToolCalls {
  const { store, tools, policies, world, environments, freeze, data } = parts
  const calls = createToolCalls({
    store,
    tools,
    purse: openPurse(store),
    policies: policiesOfCalls(policies),
    agent: (namespace, name) => limitsOfAgent(world, namespace, name),
    workspace: (of) => workspaceOf(data, of),
    envId: (namespace) => environments(namespace).id,
    assertGoing() {
      const frozen = freeze.current
      if (frozen !== null) throw fail('SW_FROZEN', `${frozen.actor} halted the fleet`)
    },
  })
  store.writer.onTakeOver(() => {
    calls
      .recover()
      .catch((error: unknown) =>
        store.log.warn({ err: error }, 'calls of a process that is gone were not looked after'),
      )
  })
  return calls
}

/** Steps of a run that an agent started call what the agent itself may call, and nothing else. */
export function permitsOfAgents(world: World): ToolPermits {
  return ({ actor, tool, name }) => {
    const [, namespace, agent] = /^agent:([^/]+)\/(.+)$/.exec(actor) ?? []
    if (namespace === undefined || agent === undefined) return
    const problem = outOfReach(limitsOfAgent(world, namespace, agent), agent, tool, name)
    if (problem !== null) throw problem
  }
}

/** What an agent may use; null = there is no such agent. */
export function limitsOfAgent(world: World, namespace: string, name: string): AgentLimits | null {
  const object = world.get(`Agent/${namespace}/${name}`)
  if (object === undefined || object.deleting) return null
  const { capabilities, constraints } = world.effective(object) as {
    capabilities?: readonly string[]
    constraints?: { readonly tools?: readonly string[] }
  }
  return { capabilities: capabilities ?? [], tools: constraints?.tools ?? null }
}

/** Of a run, its own; else one for each agent, and one for the people of a namespace. */
async function workspaceOf(
  data: string,
  { namespace, agent, run }: Pick<CallScope, 'namespace' | 'agent' | 'run'>,
): Promise<string> {
  const own = agent === null ? 'people' : `agent-${agent}`
  const folder =
    run === null ? join(data, 'calls', namespace, own, 'workspace') : join(data, 'runs', run.id, 'workspace')
  await mkdir(folder, { recursive: true })
  return folder
}

function policiesOfCalls(policies: Policies): CallPolicies {
  const { engine, ofRuns } = policies
  return {
    meets: (approval, namespace, approvers) => ofRuns.meets(approval, namespace, approvers),
    async ask(question): Promise<CallAnswer> {
      const { tool, name, namespace, actor, approvers, agent } = question
      // The word of a person who calls counts as it does for what else is done at once.
      const given = actor.startsWith('agent:') ? approvers : [...approvers, actor]
      const asking = engine.asks(namespace) ? await asked(policies, question) : null
      if (asking?.kind === 'deny') return asking
      const autonomy = ofRuns.autonomy(
        { namespace, actor },
        { tool, name, agents: () => (agent === null ? [] : [agent]) },
      )
      const isGiven = (approval: Parameters<typeof ofRuns.meets>[0]) => ofRuns.meets(approval, namespace, given)
      const left = asking?.kind === 'approval' ? asking.approvals.filter((one) => !isGiven(one)) : []
      if (asking?.kind === 'approval' && left.length > 0) return { ...asking, approvals: left }
      if (autonomy === null) return { kind: 'allow' }
      const { approval, always } = autonomy
      if (!always && approval.approvals.every(isGiven)) return { kind: 'allow' }
      return { kind: 'approval', by: approval.by, reason: approval.reason, approvals: approval.approvals }
    },
  }
}

async function asked({ engine, request }: Policies, question: CallQuestion): Promise<CallAnswer> {
  const { tool, name, namespace, actor, roles, run, agent, input, correlationId, callId, at } = question
  const step = run === null ? {} : { run_id: run.id, step: run.step }
  const verdict = await engine.decide(
    request({
      point: 'tool_call',
      action: tool.name,
      aliases: name === tool.name ? [] : [name],
      actor: agent === null ? actor : `agent:${namespace}/${agent}`,
      ...(roles === undefined || agent !== null ? {} : { roles }),
      resource: { type: 'tool', namespace, name: tool.name },
      risk: tool.risk ?? 'high',
      data: { ...step, call_id: callId, with: input },
      at,
    }),
    { correlationId, ...(run === null ? {} : { runId: run.id }) },
  )
  if (verdict.effect === 'allow') return { kind: 'allow' }
  const by = nameOf(verdict)
  if (verdict.effect === 'deny') {
    const details = detailsOf(verdict, verdict.decisionId)
    return {
      kind: 'deny',
      error: fail('SW_DENIED_BY_POLICY', `${by} denies ${tool.name}: ${verdict.reason}`, { details }),
    }
  }
  return { kind: 'approval', by, reason: verdict.reason, approvals: verdict.requirements.approvals }
}
