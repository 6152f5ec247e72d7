import { fail } from '../lib/error-catalogue.ts'
import { isUuid } from '../lib/ids.ts'
import { getRun } from '../store/queries/runs.ts'
import { stepIdOf } from '../store/queries/steps.ts'
import type { Store } from '../store/store.ts'
import type { ModelGateway } from '../tools/ports.ts'
import type { Parts } from './parts.ts'

/** The gateway as the tool `llm.invoke` asks it; what it costs is counted for the run that calls, or the agent. */
export function gatewayOfTools(store: Store, parts: Parts): ModelGateway {
  return async (asked, signal) => {
    const { gateway } = parts
    if (gateway === null) throw fail('SW_NOT_READY', 'models are not there yet')
    const { namespace, actor, correlationId, operationId, messages } = asked
    const [runId = '', step, attempt] = operationId.split('/')
    const run = isUuid(runId) && attempt !== undefined ? await getRun(store.engine, runId) : null
    const own = `agent:${namespace}/`
    const answer = await gateway.invoke(
      {
        asker: {
          ...{ namespace, actor, correlationId },
          agent: actor.startsWith(own) ? actor.slice(own.length) : null,
          agentClass: null,
          run: run === null ? null : { id: run.run_id, name: run.name },
          blueprint: run?.blueprint ?? null,
          step: run === null ? null : (step ?? null),
          stepId: run === null ? null : stepIdOf(runId, step!, Number(attempt)),
          taskId: null,
          turn: null,
          revision: run?.revision ?? null,
        },
        system: asked.system ?? null,
        messages: messages.map(({ role, text }) => (role === 'user' ? { role, text } : { role, text, toolCalls: [] })),
        tools: [],
        outputSchema: asked.outputSchema ?? null,
        maxTokens: asked.maxTokens ?? null,
        temperature: asked.temperature ?? null,
        route: asked.route ?? null,
        provider: asked.provider ?? null,
        model: asked.model ?? null,
        taskClass: asked.taskClass ?? null,
        complexity: null,
        privacy: asked.privacy ?? 'any',
        maxNanoUsd: null,
        urgency: 3,
        withoutMoney: 'fail',
      },
      { signal },
    )
    const { text, usage, provider, providerType, modelAsked, modelAnswered, costNanoUsd } = answer
    const isScripted = providerType === 'scripted'
    return { text, usage, costNanoUsd, provider, model: modelAnswered ?? modelAsked, isScripted }
  }
}
