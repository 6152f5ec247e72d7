import type { Route } from '../../http/route.ts'
import { readLivez, readMetrics, readReadyz } from './probes.ts'
import { readHealth } from './read-health.ts'
import { readTls } from './read-tls.ts'

/** The process itself: health, probes, metrics. */
export const SERVER_ROUTES: readonly Route[] = [readHealth, readTls, readLivez, readReadyz, readMetrics]
