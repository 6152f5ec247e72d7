import { fail } from '../../lib/error-catalogue.ts'
import { hasCode } from '../../lib/error-code.ts'
import { isObject } from '../../lib/json.ts'
import type { AgentTarget } from '../agent-target.ts'
import type { LedgerRequest } from '../ledger-wire.ts'

/** What the control plane answers a host that wants to go on. */
export interface Renewal {
  readonly lease_ms: number
  /** Its time, UTC. */
  readonly server_time: string
  /** What the machine lacks of what its document asks for; null = nothing. */
  readonly shortage: string | null
}

export interface Assignment {
  readonly target: AgentTarget
  /** The replicas of it that are this host's. */
  readonly ordinals: readonly number[]
  /** Replicas that still live on other hosts: theirs end before others begin. */
  readonly elsewhere: readonly number[]
}

export interface Assignments {
  readonly digest: string
  readonly slots: number
  /** null = as before. */
  readonly agents: readonly Assignment[] | null
  /** Agents that have something to do. */
  readonly queued: readonly { readonly namespace: string; readonly agent: string }[]
  readonly logs: readonly {
    readonly request_id: string
    readonly instance_id: string
    readonly streams: readonly ('out' | 'err')[]
    readonly tail_lines: number | null
    readonly follow: boolean
  }[]
}

export interface HostReport {
  readonly metrics: object
  readonly phase: string
  readonly message: string | null
  readonly boot_duration_ms: number | null
}

/** What went wrong with a request: nobody answered (or not with sense), the session is over, or the host is not wanted. */
export type Refusal = 'unreachable' | 'over' | 'unwanted' | 'refused'

export class ControlPlaneError extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal, message: string, cause?: unknown) {
    super(message, { cause })
    this.refusal = refusal
  }
}

const LONGEST_MS = 15_000
const LONG_POLL_SECONDS = 20

/** The control plane as a joined host speaks to it: plain requests, each of which ends in time. */
export class ControlPlane {
  readonly #base: string
  readonly #credential: string
  readonly host: string

  constructor(options: { readonly server: string; readonly host: string; readonly credential: string }) {
    this.#base = `${options.server}/api/v1/hosts/${encodeURIComponent(options.host)}`
    this.#credential = options.credential
    this.host = options.host
  }

  begin(body: object, signal: AbortSignal): Promise<Renewal & { readonly session: string }> {
    return this.#json('POST', '/session', body, signal) as Promise<Renewal & { session: string }>
  }

  /** Answers within `withinMs`, or has failed. */
  heartbeat(session: string, report: HostReport, withinMs: number, signal: AbortSignal): Promise<Renewal> {
    return this.#json('POST', '/heartbeat', { session, ...report }, signal, withinMs) as Promise<Renewal>
  }

  leave(session: string): Promise<unknown> {
    return this.#json('POST', '/leave', { session }, new AbortController().signal)
  }

  assignments(session: string, known: string | null, signal: AbortSignal): Promise<Assignments> {
    const body = { session, known, wait_seconds: LONG_POLL_SECONDS }
    return this.#json(
      'POST',
      '/assignments',
      body,
      signal,
      LONG_POLL_SECONDS * 1000 + LONGEST_MS,
    ) as Promise<Assignments>
  }

  async ledger(session: string, request: LedgerRequest, signal: AbortSignal): Promise<unknown> {
    const answer = (await this.#json('POST', '/ledger', { session, request }, signal)) as { readonly result: unknown }
    return answer.result
  }

  /** Null: nobody has it (yet). */
  async tree(tree: string, signal: AbortSignal): Promise<Buffer> {
    const response = await this.#send('GET', `/trees/${tree}`, null, signal, 120_000)
    return Buffer.from(await response.arrayBuffer())
  }

  /** False when nobody reads any more. */
  async logPiece(
    request: string,
    piece: { readonly session: string; readonly n: number; readonly text: string; readonly is_last: boolean },
    signal: AbortSignal,
  ): Promise<boolean> {
    const answer = (await this.#json('POST', `/logs/${request}`, piece, signal)) as { readonly wanted: boolean }
    return answer.wanted
  }

  async #json(method: string, path: string, body: object | null, signal: AbortSignal, withinMs = LONGEST_MS) {
    const response = await this.#send(method, path, body, signal, withinMs)
    if (response.status === 204) return null
    try {
      return (await response.json()) as unknown
    } catch (error) {
      throw new ControlPlaneError('unreachable', 'the answer broke off', error)
    }
  }

  async #send(
    method: string,
    path: string,
    body: object | null,
    signal: AbortSignal,
    withinMs: number,
  ): Promise<Response> {
    let response: Response
    try {
      response = await fetch(this.#base + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#credential}`,
          ...(body === null ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === null ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(Math.max(withinMs, 1))]),
      })
    } catch (error) {
      throw new ControlPlaneError('unreachable', 'the control plane does not answer', error)
    }
    if (response.ok) return response
    const said = await messageOf(response)
    if (response.status === 401 || response.status === 403) throw new ControlPlaneError('unwanted', said)
    if (response.status === 409) throw new ControlPlaneError('over', said)
    throw new ControlPlaneError(response.status >= 500 || response.status === 429 ? 'unreachable' : 'refused', said)
  }
}

/** Exchanges a join token for a credential of the host's own. Throws what the server says. */
export async function join(
  server: string,
  body: {
    readonly token: string
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly agent_slots: number
  },
): Promise<{ readonly host: string; readonly credential: string }> {
  let response: Response
  try {
    response = await fetch(`${server}/api/v1/hosts/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(LONGEST_MS),
    })
  } catch (cause) {
    throw fail('SW_SERVER_UNREACHABLE', `${server} does not answer`, { cause })
  }
  if (response.ok) return (await response.json()) as { host: string; credential: string }
  const said = await messageOf(response)
  throw fail(
    response.status === 409 ? 'SW_CONFLICT' : response.status === 403 ? 'SW_FORBIDDEN' : 'SW_UNAUTHENTICATED',
    said,
  )
}

async function messageOf(response: Response): Promise<string> {
  try {
    const body: unknown = await response.json()
    const error = isObject(body) && isObject(body['error']) ? body['error'] : {}
    return typeof error['message'] === 'string' ? error['message'] : `status ${response.status}`
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, 'UND_ERR_SOCKET')) return `status ${response.status}`
    throw error
  }
}
