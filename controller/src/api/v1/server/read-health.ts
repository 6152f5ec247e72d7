import Type from 'typebox'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Time } from '../schemas.ts'

const HealthResponse = Type.Object(
  {
    status: Type.Enum(['ok', 'starting']),
    version: Type.String(),
    uptime_seconds: Type.Integer(),
    now: Time,
    correlation_id: Type.String(),
  },
  { title: 'HealthResponse' },
)

export const readHealth = route({
  operation: 'readHealth',
  method: 'GET',
  path: '/api/v1/health',
  aliases: ['/health'],
  tag: 'server',
  access: 'public',
  isCounted: false,
  summary: 'Health of this process',
  description: '503 until the API is served; `status` is `starting` until every readiness check holds.',
  answers: { 200: HealthResponse, 503: HealthResponse },
  example: {
    answer: {
      status: 'ok',
      version: '0.1.0',
      uptime_seconds: 3600,
      now: SAMPLE.time,
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ correlationId, status }, context) {
    const isServed = context.loaded()
    status(isServed ? 200 : 503)
    const isReady = isServed && (await context.readiness()).every((check) => check.problem === null)
    return {
      status: isReady ? ('ok' as const) : ('starting' as const),
      version: context.version,
      uptime_seconds: Math.floor((context.clock.monotonicMs() - context.startedMs) / 1000),
      now: context.clock.now().toISOString(),
      correlation_id: correlationId,
    }
  },
})
