import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { isUuid } from '../../../lib/ids.ts'
import { objectsByUid } from '../../../store/queries/objects-read.ts'
import type { ApiContext } from '../../context.ts'
import { route } from '../../http/route.ts'
import type { LogOptions } from '../../ports/logs.ts'
import { findRun } from '../find-run.ts'
import { SAMPLE } from '../samples.ts'
import { media, NamespaceQuery, only, Reference, Uuid } from '../schemas.ts'

const LogQuery = only({
  ...NamespaceQuery,
  follow: Type.Boolean({ default: false, description: 'go on until it has ended' }),
  tail_lines: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000 })),
})
const Log = media('text/plain', 'lines, as they were written')

export const readRunLog = route({
  operation: 'readRunLog',
  method: 'GET',
  path: '/api/v1/runs/{run}/log',
  tag: 'logs',
  access: 'read',
  summary: 'Log of a run',
  params: Type.Object({ run: Reference }),
  query: LogQuery,
  answers: { 200: Log },
  example: {
    params: { run: 'checkmk-auto-remediate-k3q9zt' },
    query: { tail_lines: 20 },
    answer: '2026-03-28T09:15:04.250Z fix | would run: systemctl restart nginx\n',
  },
  async stream(reply, { params, query, signal }, { store, services }) {
    const run = await findRun(store.reader, params.run, query.namespace ?? null)
    return sendText(reply, await services.logs.run(run.run_id, optionsOf(query, signal)))
  },
})

export const readTaskLog = route({
  operation: 'readTaskLog',
  method: 'GET',
  path: '/api/v1/tasks/{task_id}/log',
  tag: 'logs',
  access: 'read',
  summary: 'Log of a task',
  params: Type.Object({ task_id: Uuid }),
  query: LogQuery,
  answers: { 200: Log },
  example: { params: { task_id: SAMPLE.task }, answer: 'reading /var/log/nginx/error.log\n' },
  stream: async (reply, { params, query, signal }, { services }) =>
    sendText(reply, await services.logs.task(params.task_id, optionsOf(query, signal))),
})

export const readAgentLog = route({
  operation: 'readAgentLog',
  method: 'GET',
  path: '/api/v1/agents/{agent}/log',
  tag: 'logs',
  access: 'read',
  summary: 'Log of an agent',
  description: '`{agent}` is the uid of the agent, or its name.',
  params: Type.Object({ agent: Reference }),
  query: LogQuery,
  answers: { 200: Log },
  example: { params: { agent: 'sre' }, query: { follow: true }, answer: 'registered as sre\n' },
  async stream(reply, { params, query, signal }, context) {
    const ref = await agentRef(context, params.agent, query.namespace ?? 'default')
    return sendText(reply, await context.services.logs.agent(ref, optionsOf(query, signal)))
  },
})

async function agentRef(context: ApiContext, id: string, namespace: string) {
  if (!isUuid(id)) return { namespace, name: id }
  const [object] = await objectsByUid(context.store.reader, [id])
  if (object?.kind !== 'Agent') throw fail('SW_NOT_FOUND', `there is no agent ${id}`)
  return { namespace: object.namespace, name: object.name }
}

function optionsOf(query: Static<typeof LogQuery>, signal: AbortSignal): LogOptions {
  return { follow: query.follow, tailLines: query.tail_lines ?? null, signal }
}

/** Chunked, read no faster than the client takes it. */
function sendText(reply: FastifyReply, chunks: AsyncIterable<string>): FastifyReply {
  return reply
    .type('text/plain; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(Readable.from(chunks, { objectMode: false }))
}
