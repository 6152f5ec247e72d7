import Type from 'typebox'
import type { ApiContext } from './context.ts'
import type { Api } from './http/typed.ts'

const Probe = Type.Object({
  status: Type.String(),
  checks: Type.Array(Type.Object({ name: Type.String(), problem: Type.Union([Type.String(), Type.Null()]) })),
})

/**
 * `/livez`: this process answers. `/readyz`: 200 when every check holds, else 503 with what does not. `/metrics`: Prometheus
 * text. All public: probes and scrapers carry no credential.
 */
export function addProbes(app: Api, context: ApiContext): void {
  const config = { access: 'public' as const }
  app.get('/livez', { config, schema: { summary: 'Liveness', response: { 200: Probe } } }, async () => ({
    status: 'ok',
    checks: [],
  }))
  app.get(
    '/readyz',
    { config, schema: { summary: 'Readiness', response: { 200: Probe, 503: Probe } } },
    async (_request, reply) => {
      const checks = [...(await context.readiness())]
      const ready = checks.every((check) => check.problem === null)
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'not ready', checks })
    },
  )
  app.get('/metrics', { config, schema: { summary: 'Prometheus metrics' } }, async (_request, reply) =>
    reply.type(context.metrics.contentType).send(await context.metrics.text()),
  )
}
