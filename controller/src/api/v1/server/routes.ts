import type { Route } from '../../http/route.ts'
import { readLivez, readMetrics, readReadyz } from './probes.ts'
import { readHealth } from './read-health.ts'

/** The process itself: health, probes, metrics. */
export const SERVER_ROUTES: readonly Route[] = [readHealth, readLivez, readReadyz, readMetrics]
