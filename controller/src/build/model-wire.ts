import type { Caller } from '../api/caller.ts'
import type { ModelWire, WireAsk, WireOutcome } from '../api/ports/model-wire.ts'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage } from '../lib/errors.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { FailedBackend } from '../models/gateway-answer.ts'
import { estimateTokens } from '../models/pricing.ts'
import type { Asker, ModelRequest } from '../models/request.ts'
import type { ProviderView } from '../models/routing/view.ts'
import { textOf } from '../models/wire/fields.ts'
import type { WireStream } from '../models/wire/question.ts'
import { readQuestion } from '../models/wire/read-question.ts'
import { wireSpeaker } from '../models/wire/speaker.ts'
import { getRun } from '../store/queries/runs.ts'
import { leasedTasks } from '../store/queries/tasks.ts'
import { outOfReach } from '../tools/calls/admit.ts'
import type { Core } from './core.ts'
import { routingView } from './models.ts'
import { limitsOfAgent } from './tool-calls.ts'

/** An agent asks what it could ask with the tool: the same capability lets it. */
const TOOL = { name: 'llm.invoke', permissions: ['llm.invoke'] } as const

/** Models in the wire formats of OpenAI and Anthropic. */
export function modelWire(core: Core): ModelWire {
  const { store, world, parts } = core
  const view = routingView(world)
  return {
    async ask(ask, caller) {
      const { gateway } = parts
      if (gateway === null) throw fail('SW_NOT_READY', 'models are not there yet')
      assertMayAsk(core, ask)
      const asker = await askerOf(core, ask, caller)
      const request = requestOf(ask, asker, view(ask.namespace, null).providers)
      return answered(gateway, ask, request, store.clock.now())
    },
    countTokens: (format, body) => estimateTokens(readQuestion(format, body)),
    models() {
      return [...view('default', null).providers.values()].flatMap(({ name: provider, models, suspended }) =>
        suspended ? [] : models.map(({ name }) => ({ name: `${provider}/${name}`, provider })),
      )
    },
  }
}

type Gateway = NonNullable<Core['parts']['gateway']>

async function answered(gateway: Gateway, ask: WireAsk, request: ModelRequest, now: Date): Promise<WireOutcome> {
  const { wire } = request
  const stream = wire?.stream ?? null
  const id = uuidv7(now.getTime()).replaceAll('-', '')
  const said = { id, model: textOf(ask.body['model']), at: Math.floor(now.getTime() / 1000) }
  const speaker = wireSpeaker(ask.format, said)
  const broken = new AbortController()
  let reply: FailedBackend['reply'] = null
  let hasHead = false
  const say = (words: string): void => {
    stream?.write(hasHead ? words : speaker.head() + words)
    hasHead = true
  }
  try {
    const answer = await gateway.invoke(request, {
      signal: AbortSignal.any([ask.signal, broken.signal]),
      onText: (delta) => {
        if (stream !== null) say(speaker.text(delta))
      },
      onRestart(failed) {
        reply = failed.reply ?? reply
        // What a client has read cannot be taken back: nobody else may go on.
        if (stream?.hasBegun === true)
          broken.abort(fail('SW_MODELS_FAILED', `${failed.provider} broke off: ${failed.message}`))
      },
    })
    if (answer.passed != null) return { kind: 'whole', body: answer.passed }
    if (answer.passed === null) return { kind: 'streamed' }
    if (stream === null)
      return { kind: 'whole', body: { ...speaker.whole(answer), model: answer.modelAnswered ?? answer.modelAsked } }
    say(speaker.end(answer))
    return { kind: 'streamed' }
  } catch (error) {
    const said = reply as FailedBackend['reply']
    if (said !== null && stream?.hasBegun !== true && isForClient(said.status)) return { kind: 'refused', ...said }
    throw error
  }
}

/** What a client can do something about. That our own key is wrong is nothing to it. */
const isForClient = (status: number): boolean => status >= 400 && status < 500 && ![401, 403, 407].includes(status)

function requestOf(ask: WireAsk, asker: Asker, providers: ReadonlyMap<string, ProviderView>): ModelRequest {
  const { format, body, query, headers, stream } = ask
  const { untold, ...prompt } = readQuestion(format, body)
  return {
    ...prompt,
    ...named(textOf(body['model']), providers),
    asker,
    route: null,
    taskClass: null,
    complexity: null,
    privacy: 'any',
    maxNanoUsd: null,
    urgency: 5,
    withoutMoney: 'fail',
    wire: { format, body, query, headers, untold, stream: stream === null ? null : new BegunStream(stream) },
  }
}

/** Remembers whether anything was said. */
class BegunStream implements WireStream {
  hasBegun = false
  readonly #to: WireStream

  constructor(to: WireStream) {
    this.#to = to
  }

  write(chunk: string): void {
    this.hasBegun = true
    this.#to.write(chunk)
  }
}

/**
 * Whom a name means: `claude/claude-opus-5`, a provider, or a model that a provider lists. Any other one is the client's own
 * default: who answers is up to the route.
 */
function named(name: string, providers: ReadonlyMap<string, ProviderView>): Pick<ModelRequest, 'provider' | 'model'> {
  const [, prefix = '', rest = ''] = /^([^/]+)\/(.+)$/.exec(name) ?? []
  if (providers.has(prefix)) return { provider: prefix, model: rest }
  const isListed = [...providers.values()].some(({ models }) => models.some((model) => model.name === name))
  if (isListed) return { provider: null, model: name }
  return { provider: providers.has(name) ? name : null, model: null }
}

function assertMayAsk({ world }: Core, { namespace, instance }: WireAsk): void {
  if (instance === null) return
  const { agent } = instance
  const problem = outOfReach(limitsOfAgent(world, namespace, agent), agent, TOOL, TOOL.name)
  if (problem !== null)
    throw fail('SW_TOOL_FORBIDDEN', `${agent} may not ask models: ${errorMessage(problem)}`, {
      remedy: 'give the agent the capability llm, and where its constraints.tools name tools, llm.invoke among them',
    })
}

/** An instance that has one task asks for that task; its run pays, and its trace has the call. */
async function askerOf({ store, world }: Core, ask: WireAsk, caller: Caller): Promise<Asker> {
  const { namespace, instance } = ask
  const tasks = instance === null ? [] : await leasedTasks(store.engine, [instance.id])
  const task = tasks.length === 1 ? tasks[0]! : null
  const run = task?.run_id == null ? null : await getRun(store.engine, task.run_id)
  const agent = instance === null ? undefined : world.get(`Agent/${namespace}/${instance.agent}`)
  return {
    namespace,
    actor: caller.actor,
    correlationId: task?.correlation_id ?? caller.correlationId,
    agent: instance?.agent ?? null,
    agentClass: agent?.labels['class'] ?? null,
    run: run === null ? null : { id: run.run_id, name: run.name },
    blueprint: run?.blueprint ?? null,
    step: task?.path ?? null,
    stepId: task?.step_id ?? null,
    taskId: task?.task_id ?? null,
    turn: null,
    revision: run?.revision ?? agent?.lastAppliedRevision ?? null,
  }
}
