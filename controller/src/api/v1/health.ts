import Type from 'typebox'
import type { ApiContext } from '../context.ts'
import type { Api } from '../http/typed.ts'
import { errorResponses, Time } from './schemas.ts'

const HealthResponse = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('starting')]),
  version: Type.String(),
  uptime_seconds: Type.Integer(),
  now: Time,
  correlation_id: Type.String(),
})

/** `GET /api/v1/health`: public; says `starting` until every readiness check holds. */
export function addHealthRoutes(app: Api, context: ApiContext): void {
  app.get(
    '/api/v1/health',
    {
      config: { access: 'public' },
      schema: { summary: 'Health of this process', response: { 200: HealthResponse, ...errorResponses } },
    },
    async (request) => ({
      status: (await context.readiness()).every((check) => check.problem === null)
        ? ('ok' as const)
        : ('starting' as const),
      version: context.version,
      uptime_seconds: Math.floor((context.clock.monotonicMs() - context.startedMs) / 1000),
      now: context.clock.now().toISOString(),
      correlation_id: request.id,
    }),
  )
}
