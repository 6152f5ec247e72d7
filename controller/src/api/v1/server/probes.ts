import Type from 'typebox'
import { route } from '../../http/route.ts'
import { media, Nullable } from '../schemas.ts'

const Probe = Type.Object(
  {
    status: Type.String(),
    checks: Type.Array(Type.Object({ name: Type.String(), problem: Nullable(Type.String()) })),
  },
  { title: 'Probe' },
)

/** Public, all of them: probes and scrapers carry no credential. */
export const readLivez = route({
  operation: 'readLivez',
  method: 'GET',
  path: '/livez',
  tag: 'server',
  access: 'public',
  isCounted: false,
  summary: 'Liveness: this process answers',
  answers: { 200: Probe },
  example: { answer: { status: 'ok', checks: [] } },
  answer: async () => ({ status: 'ok', checks: [] }),
})

export const readReadyz = route({
  operation: 'readReadyz',
  method: 'GET',
  path: '/readyz',
  tag: 'server',
  access: 'public',
  isCounted: false,
  summary: 'Readiness: every check holds',
  description: '503 with what does not hold, in the same shape.',
  answers: { 200: Probe, 503: Probe },
  example: { answer: { status: 'ok', checks: [{ name: 'reconciled', problem: null }] } },
  async answer({ status }, context) {
    const checks = await context.readiness()
    const ready = checks.every((check) => check.problem === null)
    status(ready ? 200 : 503)
    return { status: ready ? 'ok' : 'not ready', checks }
  },
})

export const readMetrics = route({
  operation: 'readMetrics',
  method: 'GET',
  path: '/metrics',
  tag: 'server',
  access: 'public',
  isCounted: false,
  summary: 'Prometheus metrics',
  answers: { 200: media('text/plain', 'the text format of Prometheus') },
  example: { answer: '# TYPE stateward_http_requests_total counter\n' },
  stream: async (reply, _call, { metrics }) => reply.type(metrics.contentType).send(await metrics.text()),
})
