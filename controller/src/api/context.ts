import type { KindDefinition } from '../kinds/definition.ts'
import type { Clock } from '../lib/clock.ts'
import type { Store } from '../store/store.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { ApiKeys } from './auth/api-keys.ts'
import type { PageSessions } from './auth/page-sessions.ts'
import type { RateLimits } from './http/rate-limits.ts'
import type { ApiServices } from './ports.ts'
import type { LogTail } from './streams/log-tail.ts'
import type { MetricsFeed } from './streams/metrics-feed.ts'
import type { StreamSet } from './streams/stream-set.ts'

/** What route modules share: plain data and functions, made once by the server. */
export interface ApiContext {
  readonly store: Store
  readonly services: ApiServices
  readonly kinds: readonly KindDefinition[]
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly version: string
  /** Where the API is over TLS, and what clients trust that by (null = what their system trusts); null = nowhere. */
  readonly tls: { readonly url: string; readonly ca: string | null } | null
  /** Of the monotonic clock, when the process started. */
  readonly startedMs: number
  readonly readiness: () => Promise<readonly { readonly name: string; readonly problem: string | null }[]>
  /** API keys as this process knows them. */
  readonly apiKeys: ApiKeys
  /** Browsers that are signed in to the page. */
  readonly pageSessions: PageSessions
  readonly tail: LogTail
  /** What hosts and agents use, while somebody looks on. */
  readonly metricsFeed: MetricsFeed
  readonly eventStreams: StreamSet
  readonly watches: StreamSet
  /** Whether this process knows the accepted state, and so answers. */
  readonly loaded: () => boolean
  readonly streamsOpen: () => boolean
  /** Aborted when the server stops: long polls and streams end. */
  readonly stopping: AbortSignal
  readonly timing: Timing
  /** What rate limits there are; undefined = none. */
  readonly rateLimits: RateLimits | undefined
  /** Tells the event feed of this process about a batch it has just committed. */
  readonly nudge: (seq: number) => void
}

/** Milliseconds. */
export interface Timing {
  /** A comment on a silent event stream, and a bookmark on a silent watch. */
  readonly keepaliveMs: number
  /** How long a reader may take nothing before it is cut off. */
  readonly slowReaderMs: number
  /** How often an agent's stream hands out again what is not acknowledged. */
  readonly redeliverMs: number
  /** How often pages are told what hosts and agents use. */
  readonly metricsMs: number
}
