import { randomUUID } from 'node:crypto'
import { type Server, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import type { Principal } from '../auth/principal.ts'

const HEADER = 'mcp-session-id'
const IDLE_MS = 30 * 60_000
const SWEEP_MS = 60_000
const PER_PRINCIPAL = 50
const MOST = 1_000
const NOT_FOUND = -32001
const TOO_MANY = -32000

interface Session {
  readonly id: string
  readonly owner: string
  readonly server: Server
  readonly transport: WebStandardStreamableHTTPServerTransport
  /** Requests under way, streams among them. */
  open: number
  usedAt: number
}

export interface SessionRequest {
  readonly web: Request
  readonly principal: Principal
  /** What of the body says where it goes: the method of its message; null where it has none. */
  readonly method: string | null
  /** Goes to the handlers of the message. */
  readonly extra: Readonly<Record<string, unknown>>
  /** Aborted when it is over, however it ends. */
  readonly ended: AbortSignal
}

/**
 * Sessions of clients of revision 2025-11-25 and before: what asks a client something in the middle of a call, and what tells it that a resource
 * changed, needs one. A session is of one process and of whoever began it. A message that needs none is answered by any
 * process: one that comes with a session of another process is not refused for that.
 */
export class McpSessions {
  readonly #serverFor: () => Server
  readonly #monotonicMs: () => number
  /** Of this start of this process, in front of its ids. */
  readonly #mark = randomUUID().slice(0, 8)
  readonly #sessions = new Map<string, Session>()
  readonly #sweep: NodeJS.Timeout

  constructor(serverFor: () => Server, monotonicMs: () => number) {
    this.#serverFor = serverFor
    this.#monotonicMs = monotonicMs
    this.#sweep = setInterval(() => this.#endIdle(), SWEEP_MS).unref()
  }

  /** Null: it needs no session, and is answered without one. */
  async answer(request: SessionRequest): Promise<Response | null> {
    const id = request.web.headers.get(HEADER)
    if (id === null) return request.method === 'initialize' ? this.#begin(request) : null
    const session = this.#sessions.get(id)
    if (session !== undefined && session.owner === ownerOf(request.principal)) return this.#within(session, request)
    return id.startsWith(`${this.#mark}.`) || needsSession(request)
      ? refusal(404, NOT_FOUND, 'Session not found')
      : null
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep)
    await Promise.all([...this.#sessions.values()].map((session) => this.#end(session)))
  }

  async #begin(request: SessionRequest): Promise<Response> {
    const owner = ownerOf(request.principal)
    if (!this.#hasRoom(owner)) return refusal(503, TOO_MANY, 'Too many sessions')
    const server = this.#serverFor()
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => `${this.#mark}.${randomUUID()}`,
      onsessioninitialized: (id) => {
        const session = { id, owner, server, transport, open: 0, usedAt: this.#monotonicMs() }
        this.#sessions.set(id, session)
        this.#use(session, request)
      },
      onsessionclosed: (id) => void this.#sessions.delete(id),
    })
    await server.connect(transport)
    const answer = await transport.handleRequest(request.web, { authInfo: authInfoOf(request) })
    // Refused: nobody will come back to it.
    if (transport.sessionId === undefined) await server.close()
    return answer
  }

  #within(session: Session, request: SessionRequest): Promise<Response> {
    this.#use(session, request)
    return session.transport.handleRequest(request.web, { authInfo: authInfoOf(request) })
  }

  #use(session: Session, { ended }: SessionRequest): void {
    session.open += 1
    const over = (): void => {
      session.open -= 1
      session.usedAt = this.#monotonicMs()
    }
    if (ended.aborted) over()
    else ended.addEventListener('abort', over, { once: true })
  }

  /** Where it is full, the one that nobody used for longest makes room. */
  #hasRoom(owner: string): boolean {
    const all = [...this.#sessions.values()]
    const own = all.filter((session) => session.owner === owner)
    const full = own.length >= PER_PRINCIPAL ? own : all.length >= MOST ? all : []
    if (full.length === 0) return true
    const [oldest] = full.filter(({ open }) => open === 0).sort((a, b) => a.usedAt - b.usedAt)
    if (oldest !== undefined) void this.#end(oldest)
    return oldest !== undefined
  }

  #endIdle(): void {
    const since = this.#monotonicMs() - IDLE_MS
    for (const session of this.#sessions.values())
      if (session.open === 0 && session.usedAt < since) void this.#end(session)
  }

  async #end(session: Session): Promise<void> {
    this.#sessions.delete(session.id)
    await session.server.close()
  }
}

const ownerOf = ({ type, name }: Principal): string => `${type} ${name}`

/** Streams and what belongs to them, and the end of a session: only the process that has it knows of that. */
function needsSession({ web, method }: SessionRequest): boolean {
  return web.method !== 'POST' || method === 'resources/subscribe' || method === 'resources/unsubscribe'
}

function authInfoOf({ principal, extra }: SessionRequest) {
  return { token: '', clientId: principal.name, scopes: [], extra: { ...extra } }
}

function refusal(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status })
}
