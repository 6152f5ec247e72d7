import Fastify from 'fastify'
import { ATTEMPT_MS } from '../bus/deliver.ts'
import type { KindDefinition } from '../kinds/definition.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { EventFeed } from '../store/events-feed.ts'
import { logHead, readEvents } from '../store/log.ts'
import type { Store } from '../store/store.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { AccessLog } from './auth/access-log.ts'
import { ApiKeys } from './auth/api-keys.ts'
import { createAuthenticator } from './auth/authenticate.ts'
import { PageSessions } from './auth/page-sessions.ts'
import type { AuthMode } from './auth/principal.ts'
import { ProviderSignIn } from './auth/provider-sign-in.ts'
import { type IssuerOptions, TokenIssuer } from './auth/token-issuer.ts'
import type { ApiContext, Timing } from './context.ts'
import { addGitRoutes } from './git/routes.ts'
import { addRoutes } from './http/add-routes.ts'
import { addErrorAnswers } from './http/answer-errors.ts'
import { addCrossOrigin } from './http/cross-origin.ts'
import { type Front, type FrontOptions, LOOPBACK, openFront } from './http/front.ts'
import { addRequestHooks, type BodyRedactor, correlationIdOf } from './http/hooks.ts'
import { addJsonParser, BODY_LIMIT } from './http/json-body.ts'
import { watchRoutes } from './http/known-routes.ts'
import { createRateLimiter, type RateLimits } from './http/rate-limits.ts'
import { checkBinding, type TrustedHosts } from './http/trusted-host.ts'
import type { Api } from './http/typed.ts'
import { compileValidator } from './http/validation.ts'
import { addKubeRoutes } from './kube/routes.ts'
import { addProtectedResource, resourceMetadataOf } from './mcp/protected-resource.ts'
import { addMcpRoutes } from './mcp/routes.ts'
import type { ReadinessCheck } from './ports/readiness.ts'
import type { ApiServices } from './ports.ts'
import { ROUTES } from './routes.ts'
import { LogTail } from './streams/log-tail.ts'
import { measured } from './streams/measured.ts'
import { MetricsFeed } from './streams/metrics-feed.ts'
import { StreamSet } from './streams/stream-set.ts'
import { addPageRoutes, type PageOptions } from './ui/routes.ts'
import { addSignInRoutes } from './ui/sign-in.ts'
import { addWireRoutes } from './wire/routes.ts'

export interface ApiOptions extends Omit<FrontOptions, 'authMode'> {
  /** Where it listens, when that is open already; what follows is not read then. */
  readonly front?: Front
  readonly auth: {
    readonly mode: AuthMode
    readonly adminToken: string
    /** Of mode `oidc`. */
    readonly issuer?: IssuerOptions
    /** How the issuer knows this installation, where it signs people in to the page; null = it does not. Default: null. */
    readonly client?: { readonly id: string; readonly secret: string | null } | null
  }
  readonly version: string
  /** What clients trust the listener over TLS by; null = what their system trusts. */
  readonly authority?: string | null
  readonly trusted?: Partial<TrustedHosts>
  readonly timing?: Partial<Timing>
  /** Default: none. */
  readonly limits?: RateLimits
  /** Open event streams, and open watches, of one principal. */
  readonly streamsPerPrincipal?: number
  /** How long the stop waits for requests under way, in milliseconds. */
  readonly graceMs?: number
  /** The page at `/ui/`; null = none. Default: none. */
  readonly page?: PageOptions | null
  /** What reads is served, and nothing that changes anything: a process that only shows the page. Default: everything. */
  readonly readsOnly?: boolean
}

export interface ApiDependencies {
  readonly store: Store
  readonly feed: Pick<EventFeed, 'subscribe' | 'nudge'>
  readonly services: ApiServices
  readonly kinds: readonly KindDefinition[]
  readonly checks: readonly ReadinessCheck[]
  readonly metrics: Metrics
  readonly log: Logger
  /** Whether this process knows the accepted state; until then all but probes and agents get SW_NOT_READY. Default: yes. */
  readonly loaded?: () => boolean
  /** Takes the secrets an agent was given out of what it sends. Default: leaves it as it is. */
  readonly redact?: BodyRedactor
  /** Whether streams may be opened; default: yes. */
  readonly streamsOpen?: () => boolean
}

export interface ApiServer {
  /** For tests that need no socket: `app.inject`. */
  readonly app: Api
  /** Starts to listen; throws SW_PORT_IN_USE. */
  listen(): Promise<Pick<Front, 'port' | 'urls' | 'streamsUrl'>>
  /** Takes no new requests, ends streams, watches and long polls, waits for the rest up to the grace. */
  close(): Promise<void>
}

const TIMING: Timing = { keepaliveMs: 30_000, slowReaderMs: 10_000, redeliverMs: ATTEMPT_MS, metricsMs: 5_000 }

/** The HTTP API of one process. Nothing listens before `listen()`. Throws SW_CONFIG_INVALID for an unsafe binding. */
export async function createApiServer(options: ApiOptions, dependencies: ApiDependencies): Promise<ApiServer> {
  checkBinding(options.hosts ?? LOOPBACK, options.auth.mode)
  const stopping = new AbortController()
  const context = await createContext(options, dependencies, stopping.signal)
  const accessLog = new AccessLog(dependencies.store, dependencies.log, context.nudge)
  const app = await createApp(options, dependencies, context, accessLog)
  let front: Front | null = null
  return {
    app,
    async listen() {
      front = options.front ?? (await openFront({ ...options, authMode: options.auth.mode }, dependencies.log))
      front.serve((request, response) => app.routing(request, response))
      return front
    },
    async close() {
      const closing = front?.close(options.graceMs ?? 3_000)
      stopping.abort()
      context.eventStreams.stop()
      context.watches.stop()
      context.tail.close()
      await closing
      await app.close()
      await accessLog.close()
    },
  }
}

async function createContext(
  options: ApiOptions,
  dependencies: ApiDependencies,
  stopping: AbortSignal,
): Promise<ApiContext> {
  const { store, feed, metrics, log, checks } = dependencies
  const streams = (kind: 'sse' | 'watch'): StreamSet =>
    new StreamSet({
      perPrincipal: options.streamsPerPrincipal ?? 100,
      onCount: (open) => metrics.stateward.streams(kind, open),
      onDropped: () => metrics.stateward.streamDropped(kind),
    })
  const [eventStreams, watches] = [streams('sse'), streams('watch')]
  const tail = await LogTail.open(
    {
      head: async () => (await logHead(store.engine)).seq,
      read: (after, limit) => readEvents(store.engine, { after, limit }),
      subscribe: (onSeq) => feed.subscribe(onSeq),
      isRead: () => eventStreams.size + watches.size > 0,
    },
    (error) => log.error({ err: error }, 'the log could not be read for open streams; trying again'),
  )
  return {
    store,
    services: dependencies.services,
    kinds: dependencies.kinds,
    clock: store.clock,
    log,
    metrics,
    version: options.version,
    tls: options.front?.tlsUrl == null ? null : { url: options.front.tlsUrl, ca: options.authority ?? null },
    startedMs: store.clock.monotonicMs(),
    readiness: () => Promise.all(checks.map(async (check) => ({ name: check.name, problem: await problemOf(check) }))),
    apiKeys: new ApiKeys(store),
    pageSessions: new PageSessions(store, (seq) => feed.nudge(seq)),
    tail,
    metricsFeed: new MetricsFeed({
      read: () => measured(store.reader),
      everyMs: options.timing?.metricsMs ?? TIMING.metricsMs,
      onError: (error) => log.warn({ err: error }, 'what hosts and agents use could not be read; trying again'),
    }),
    eventStreams,
    watches,
    stopping,
    timing: { ...TIMING, ...options.timing },
    rateLimits: options.limits,
    nudge: (seq) => feed.nudge(seq),
    loaded: dependencies.loaded ?? (() => true),
    streamsOpen: dependencies.streamsOpen ?? (() => true),
  }
}

/** A check that fails to answer is a problem, not a failure of the probe. */
async function problemOf(check: ReadinessCheck): Promise<string | null> {
  try {
    return await check.problem()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function createApp(
  options: ApiOptions,
  dependencies: ApiDependencies,
  context: ApiContext,
  accessLog: AccessLog,
): Promise<Api> {
  const users = issuerOf(options, context)
  const app: Api = Fastify({
    bodyLimit: BODY_LIMIT,
    exposeHeadRoutes: false,
    genReqId: (request) => correlationIdOf(request.headers),
    routerOptions: { maxParamLength: 300 },
    // Failures before routing (a URL that cannot be decoded) get the same shape as all others.
    frameworkErrors: (error, request, reply) => {
      void app.errorHandler(error, request as never, reply as never)
    },
  })
  const routes = watchRoutes(app)
  app.setValidatorCompiler(compileValidator)
  // Response schemas document; what is sent is exactly what the handler returned.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  await addCrossOrigin(app, options.trusted?.origins ?? [])
  addJsonParser(app)
  const { mode, issuer } = options.auth
  const tellsIssuer = mode === 'oidc' && issuer !== undefined
  addErrorAnswers(app, {
    ...{ log: dependencies.log, routes },
    ...(tellsIssuer ? { resourceMetadata: resourceMetadataOf } : {}),
  })
  addRequestHooks(app, {
    trusted: { names: options.trusted?.names ?? [], origins: options.trusted?.origins ?? [] },
    authenticator: createAuthenticator({
      mode: options.auth.mode,
      adminToken: options.auth.adminToken,
      hostOf: (token) => dependencies.services.hosts.authenticate(token),
      agentOf: (token) => dependencies.services.agents.authenticate(token),
      keyOf: (token) => context.apiKeys.principalOf(token),
      sessionOf: (token) => context.pageSessions.principalOf(token),
      userOf: users === null ? null : (token) => users.principalOf(token),
    }),
    accessLog,
    rateLimiter: await createRateLimiter(app, options.limits),
    metrics: dependencies.metrics,
    log: dependencies.log,
    ...(dependencies.redact === undefined ? {} : { redact: dependencies.redact }),
    loaded: context.loaded,
  })
  addRoutes(app, context, options.readsOnly === true ? ROUTES.filter(({ method }) => method === 'GET') : ROUTES)
  if (options.readsOnly !== true) {
    addKubeRoutes(app, context)
    addGitRoutes(app, context)
    addMcpRoutes(app, context, ROUTES)
    addWireRoutes(app, context)
    if (tellsIssuer) addProtectedResource(app, issuer.issuer)
  }
  if (options.page != null) {
    const provider = providerOf(options, context)
    addSignInRoutes(app, { sessions: context.pageSessions, provider, home: options.page.home })
    await addPageRoutes(app, options.page)
  }
  await app.ready()
  return app
}

/** Who signs people in to the page; null = links alone do. */
function providerOf({ auth: { mode, issuer, client } }: ApiOptions, { clock, log }: ApiContext): ProviderSignIn | null {
  if (mode !== 'oidc' || issuer === undefined || client == null) return null
  return new ProviderSignIn({ issuer, clientId: client.id, clientSecret: client.secret }, clock, log)
}

function issuerOf({ auth: { mode, issuer } }: ApiOptions, { clock }: ApiContext): TokenIssuer | null {
  if (mode !== 'oidc') return null
  if (issuer === undefined) throw fail('SW_CONFIG_INVALID', 'auth mode "oidc" needs auth.issuer and auth.audience')
  return new TokenIssuer(issuer, clock)
}
