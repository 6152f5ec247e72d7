import { AgentChannel, type ChannelHandlers, type ChannelOptions } from './agent-channel.ts'
import { type Clock, systemClock } from './clock.ts'
import { type Connection, request, StatewardRequestError } from './request.ts'
import type { BusEvent, Heartbeat, Message, NewMessage, Poll, Task } from './types.ts'

export interface ClientOptions {
  /** Default: STATEWARD_URL. */
  readonly url?: string
  /** Default: STATEWARD_TOKEN. */
  readonly token?: string
  readonly clock?: Clock
  readonly fetch?: typeof fetch
}

/** Attempts to send one message; the waits between them are 0.5, 1, 2 and 4 seconds. */
const SENDS = 5

const never = new AbortController().signal

/** Talks to Stateward as one agent, with what its process was started with. Every call throws StatewardRequestError. */
export class StatewardClient {
  readonly #connection: Connection
  readonly #clock: Clock

  constructor(options: ClientOptions = {}) {
    const { env } = process
    const url = options.url ?? env['STATEWARD_URL']
    const token = options.token ?? env['STATEWARD_TOKEN']
    if (url === undefined || token === undefined) throw new TypeError('STATEWARD_URL and STATEWARD_TOKEN are not set')
    this.#connection = { url: url.replace(/\/$/, ''), token, fetch: options.fetch ?? fetch }
    this.#clock = options.clock ?? systemClock
  }

  /** Sends a message; a failure that may pass is tried again, and nothing is sent twice. */
  async send(message: NewMessage): Promise<Message> {
    const body = { ...message, idempotency_key: message.idempotency_key ?? crypto.randomUUID() }
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#call('POST', '/api/v1/messages', body)) as Message
      } catch (error) {
        if (!(error instanceof StatewardRequestError) || !error.isTransient || attempt === SENDS) throw error
        await this.#clock.sleep(250 * 2 ** attempt, never)
      }
    }
  }

  async poll(options: { readonly limit?: number; readonly cursor?: string } = {}): Promise<Poll> {
    const query = new URLSearchParams()
    for (const [key, value] of Object.entries(options)) query.set(key, String(value))
    return (await this.#call('GET', `/api/v1/messages/poll?${query}`)) as Poll
  }

  async ack(messageId: string): Promise<void> {
    await this.#call('POST', `/api/v1/messages/${messageId}/ack`)
  }

  async register(instanceId: string): Promise<{ readonly agent_id: string; readonly heartbeat_seconds: number }> {
    return (await this.#call('POST', '/api/v1/agents/register', { instance_id: instanceId, protocol: 1 })) as {
      agent_id: string
      heartbeat_seconds: number
    }
  }

  async heartbeat(agent: string, instanceId: string, tasks: readonly string[]): Promise<Heartbeat> {
    const body = { instance_id: instanceId, status: tasks.length === 0 ? 'idle' : 'busy', tasks }
    return (await this.#call('POST', `/api/v1/agents/${encodeURIComponent(agent)}/heartbeat`, body)) as Heartbeat
  }

  /** Waits up to `waitSeconds` for tasks. */
  async pickup(
    agent: string,
    instanceId: string,
    options: { readonly max?: number; readonly waitSeconds?: number } = {},
  ) {
    const body = { instance_id: instanceId, max: options.max ?? 1, wait_seconds: options.waitSeconds ?? 0 }
    const found = await this.#call('POST', `/api/v1/agents/${encodeURIComponent(agent)}/pickup`, body)
    return (found ?? { interventions: [], tasks: [] }) as Pick<Heartbeat, 'interventions'> & {
      readonly tasks: readonly Task[]
    }
  }

  async complete(task: Pick<Task, 'task_id' | 'attempt'>, output: unknown): Promise<void> {
    const body = { attempt: task.attempt, status: 'completed', output }
    await this.#call('PATCH', `/api/v1/tasks/${task.task_id}`, body)
  }

  async failTask(
    task: Pick<Task, 'task_id' | 'attempt'>,
    error: { readonly code: string; readonly message: string; readonly retryable: boolean },
  ): Promise<void> {
    await this.#call('PATCH', `/api/v1/tasks/${task.task_id}`, { attempt: task.attempt, status: 'failed', error })
  }

  async emit(eventName: string, data: Readonly<Record<string, unknown>>): Promise<BusEvent> {
    return (await this.#call('POST', '/api/v1/events', { event_name: eventName, data })) as BusEvent
  }

  /** What concerns the agent, as it happens; nothing is opened before `run()`. */
  channel(options: ChannelOptions, handlers: ChannelHandlers): AgentChannel {
    return new AgentChannel(this.#connection, { clock: this.#clock, ...options }, handlers)
  }

  #call(method: 'GET' | 'POST' | 'PATCH', path: string, body?: unknown): Promise<unknown> {
    return request(this.#connection, method, path, body === undefined ? {} : { body })
  }
}
