import { Client, ProtocolError } from '@modelcontextprotocol/client'
import { digestOf } from '../lib/digest.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../lib/errors.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Challenge } from './oauth/challenge.ts'
import { type Challenges, keyOfServer } from './oauth/session.ts'
import { type OfferedTool, offeredDigest } from './offered-tool.ts'
import type { DeclaredServer, McpDependencies } from './ports.ts'
import { answerQuestion } from './questions.ts'
import { type CallResult, outputOf } from './result.ts'
import { transportTo } from './transport.ts'

const IDLE_MS = 5 * 60_000
const BELIEVED_MS = 60_000
/** Silence of a server that knows nothing of the current revision; a program has to start, or be fetched, meanwhile. */
const PROBE_MS = { http: 5_000, stdio: 20_000 }
/** The registry ends a call at its deadline; the client's own limit only has to be later. */
const LONGEST_CALL_MS = 24 * 60 * 60_000

/** What a server says of itself and offers. */
export interface Discovered {
  readonly server: string
  readonly protocol: string
  readonly tools: readonly OfferedTool[]
}

export interface PinnedCall {
  /** Name of the Tool, for messages. */
  readonly tool: string
  /** The server's name of it. */
  readonly name: string
  readonly digest: string
  readonly arguments: JsonObject
  readonly correlationId: string
  readonly signal: AbortSignal
  /** Goes along beside the arguments. */
  readonly meta?: JsonObject
}

interface Open {
  readonly client: Client
  readonly digest: string
  listed: { readonly at: number; readonly tools: readonly OfferedTool[] } | null
  closing: NodeJS.Timeout | null
  inUse: number
}

/**
 * Connections of this process to servers of tools: one each, opened when somebody needs it, opened anew when it broke or its
 * declaration changed, closed when nobody used it for a while. No tool is called that is not what its Tool pins: what is
 * offered is asked anew with each connection, when the server says that it changed, and after a minute.
 */
export class McpConnections {
  readonly #deps: McpDependencies
  readonly #open = new Map<string, Promise<Open>>()
  readonly #challenges: Challenges = new Map()
  #closed = false

  constructor(deps: McpDependencies) {
    this.#deps = deps
  }

  /** Asks a server what it offers. SW_MCP_UNREACHABLE, SW_SECRET_MISSING. */
  discover(server: DeclaredServer, correlationId: string): Promise<Discovered> {
    return this.#with(server, correlationId, async (open) => {
      const tools = await this.#list(open, server, 'refresh')
      const { name = server.name, version = '' } = open.client.getServerVersion() ?? {}
      return { server: `${name} ${version}`.trim(), protocol: open.client.getNegotiatedProtocolVersion() ?? '', tools }
    })
  }

  /** SW_TOOL_QUARANTINED: it offers something else. SW_TOOL_FAILED, SW_MCP_UNREACHABLE, SW_SECRET_MISSING. */
  call(server: DeclaredServer, call: PinnedCall): Promise<Json> {
    return this.#with(
      server,
      call.correlationId,
      async (open) => {
        const offered = (await this.#list(open, server, 'use')).find(({ name }) => name === call.name)
        if (offered === undefined)
          throw fail('SW_TOOL_QUARANTINED', `${server.name} does not offer ${call.name} any more`)
        if (offeredDigest(offered) !== call.digest)
          throw fail('SW_TOOL_QUARANTINED', `${server.name} offers another ${call.name} than ${call.tool} pins`)
        const result = await open.client.callTool(
          { name: call.name, arguments: call.arguments, ...(call.meta === undefined ? {} : { _meta: call.meta }) },
          { signal: call.signal, timeout: LONGEST_CALL_MS },
        )
        return outputOf(result as unknown as CallResult, call.tool)
      },
      call.signal,
    )
  }

  /** What a server behind OAuth asked for last, by asking it now; null where it lets us in, or says nothing of it. */
  async challenge(server: DeclaredServer, correlationId: string): Promise<Challenge | null> {
    await this.discover(server, correlationId).catch((error: unknown) => {
      if (!(error instanceof StatewardError)) throw error
    })
    return this.#challenges.get(keyOfServer(server)) ?? null
  }

  /** The next one who needs it opens a connection anew: somebody signed in. */
  async forget(server: Pick<DeclaredServer, 'namespace' | 'name'>): Promise<void> {
    this.#challenges.delete(keyOfServer(server))
    await this.#drop(keyOfServer(server))
  }

  /** Ends all of them, and programs with them. */
  async close(): Promise<void> {
    this.#closed = true
    const all = [...this.#open.keys()]
    await Promise.all(all.map((key) => this.#drop(key)))
  }

  async #with<T>(
    server: DeclaredServer,
    correlationId: string,
    work: (open: Open) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const key = keyOfServer(server)
    let open: Open
    try {
      open = await this.#connection(key, server, correlationId)
    } catch (error) {
      throw unreachable(server, error)
    }
    open.inUse += 1
    if (open.closing !== null) clearTimeout(open.closing)
    open.closing = null
    try {
      return await work(open)
    } catch (error) {
      if (error instanceof StatewardError) throw error
      // It was told to end, or answered that it will not: that is nothing against the connection, which others may use.
      if (signal?.aborted === true) throw error
      if (error instanceof ProtocolError)
        throw fail('SW_TOOL_FAILED', `MCP server ${server.name}: ${error.message}`, { cause: error })
      const told = unreachable(server, error)
      if (told.ref === 'SW_MCP_LOGIN_REQUIRED' || told.ref === 'SW_OUTBOUND_DENIED') throw told
      // Whatever it was, the next one starts anew: a connection that failed once is not trusted.
      await this.#drop(key, open)
      throw told
    } finally {
      open.inUse -= 1
      if (open.inUse === 0)
        open.closing = setTimeout(() => void this.#drop(key, open), this.#deps.idleMs ?? IDLE_MS).unref()
    }
  }

  async #connection(key: string, server: DeclaredServer, correlationId: string): Promise<Open> {
    const { spec, namespace } = server
    const digest = digestOf(spec.stdio === undefined ? spec : [spec, this.#deps.programs.rules(namespace)])
    const known = await this.#open.get(key)?.catch(() => null)
    if (known !== undefined && known !== null) {
      if (known.digest === digest) return known
      await this.#drop(key, known)
    }
    // Somebody else may have opened it meanwhile.
    const opening = this.#open.get(key) ?? this.#connect(key, server, digest, correlationId)
    this.#open.set(key, opening)
    try {
      return await opening
    } catch (error) {
      if (this.#open.get(key) === opening) this.#open.delete(key)
      throw error
    }
  }

  async #connect(key: string, server: DeclaredServer, digest: string, correlationId: string): Promise<Open> {
    if (this.#closed) throw fail('SW_CANCELLED', 'this process is stopping')
    const transport = await transportTo(server, correlationId, this.#deps, this.#challenges)
    const timeout = parseDuration(server.spec.timeout ?? '30s')
    const probeMs = server.spec.stdio === undefined ? PROBE_MS.http : PROBE_MS.stdio
    const answersQuestions = server.spec.questions === 'defaults'
    const client = new Client(
      { name: 'stateward', version: this.#deps.version },
      {
        ...(answersQuestions ? { capabilities: { elicitation: { form: { applyDefaults: true } } } } : {}),
        versionNegotiation: { mode: 'auto', probe: { timeoutMs: Math.min(timeout, probeMs) } },
        listChanged: { tools: { autoRefresh: false, onChanged: () => forgetTools() } },
      },
    )
    const forgetTools = (): void => {
      open.listed = null
    }
    const open: Open = { client, digest, listed: null, closing: null, inUse: 0 }
    client.onclose = () => {
      void this.#forget(key, open)
    }
    if (answersQuestions) client.setRequestHandler('elicitation/create', ({ params }) => answerQuestion(params))
    await client.connect(transport, { timeout })
    return open
  }

  async #list(open: Open, server: DeclaredServer, mode: 'use' | 'refresh'): Promise<readonly OfferedTool[]> {
    const now = this.#deps.monotonicMs()
    const { listed } = open
    if (mode === 'use' && listed !== null && now - listed.at < (this.#deps.believedMs ?? BELIEVED_MS))
      return listed.tools
    const timeout = parseDuration(server.spec.timeout ?? '30s')
    const { tools } = await open.client.listTools(undefined, { timeout, cacheMode: 'refresh' })
    const all = tools.map((tool) => plainTool(tool as unknown as OfferedTool))
    open.listed = { at: now, tools: all }
    return all
  }

  async #forget(key: string, open: Open): Promise<void> {
    const known = await this.#open.get(key)?.catch(() => null)
    if (known === open) this.#open.delete(key)
  }

  async #drop(key: string, only?: Open): Promise<void> {
    const known = await this.#open.get(key)?.catch(() => null)
    if (known === undefined || known === null || (only !== undefined && known !== only)) return
    this.#open.delete(key)
    if (known.closing !== null) clearTimeout(known.closing)
    await known.client.close().catch((error: unknown) => {
      this.#deps.log.debug({ err: error, server: key }, 'a connection to an MCP server did not end well')
    })
  }
}

/** Without what a schema of the protocol added. */
function plainTool({ name, title, description, inputSchema, outputSchema, annotations }: OfferedTool): OfferedTool {
  const plain = JSON.parse(JSON.stringify({ name, title, description, inputSchema, outputSchema, annotations }))
  return plain as OfferedTool
}

function unreachable({ name }: DeclaredServer, error: unknown): StatewardError {
  // The client's transport may have wrapped what we said ourselves.
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof StatewardError) return at
  return fail('SW_MCP_UNREACHABLE', `MCP server ${name}: ${errorMessage(error)}`, { cause: error })
}
