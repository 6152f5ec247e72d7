import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import Type, { type Static } from 'typebox'
import { fail } from '../../lib/error-catalogue.ts'
import { isUuid } from '../../lib/ids.ts'
import { objectsByUid } from '../../store/queries/objects-read.ts'
import type { ApiContext } from '../context.ts'
import { requestSignal } from '../http/request-signal.ts'
import type { Api } from '../http/typed.ts'
import type { LogOptions } from '../ports.ts'
import { findRun } from './find-run.ts'
import { errorResponses, NamespaceQuery, Reference, Uuid } from './schemas.ts'

const LogQuery = Type.Object(
  {
    ...NamespaceQuery,
    follow: Type.Boolean({ default: false, description: 'go on until it has ended' }),
    tail_lines: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000 })),
  },
  { additionalProperties: false },
)

const RunParams = Type.Object({ run: Reference })
const TaskParams = Type.Object({ task_id: Uuid })
const AgentParams = Type.Object({ agent: Reference })

/** Logs of runs, tasks and agents: plain text, chunked, read no faster than the client takes it. */
export function addLogRoutes(app: Api, context: ApiContext): void {
  const { logs } = context.services
  const { reader } = context.store
  const config = { access: 'read' as const }
  app.get(
    '/api/v1/runs/:run/log',
    { config, schema: { summary: 'Log of a run', params: RunParams, querystring: LogQuery, response: errorResponses } },
    async (request, reply) => {
      const run = await findRun(reader, request.params.run, request.query.namespace ?? null)
      return sendText(reply, await logs.run(run.run_id, optionsOf(reply, request.query, context)))
    },
  )
  app.get(
    '/api/v1/tasks/:task_id/log',
    {
      config,
      schema: { summary: 'Log of a task', params: TaskParams, querystring: LogQuery, response: errorResponses },
    },
    async (request, reply) =>
      sendText(reply, await logs.task(request.params.task_id, optionsOf(reply, request.query, context))),
  )
  app.get(
    '/api/v1/agents/:agent/log',
    {
      config,
      schema: { summary: 'Log of an agent', params: AgentParams, querystring: LogQuery, response: errorResponses },
    },
    async (request, reply) => {
      const ref = await agentRef(context, request.params.agent, request.query.namespace ?? 'default')
      return sendText(reply, await logs.agent(ref, optionsOf(reply, request.query, context)))
    },
  )
}

async function agentRef(
  context: ApiContext,
  id: string,
  namespace: string,
): Promise<{ namespace: string; name: string }> {
  if (!isUuid(id)) return { namespace, name: id }
  const [object] = await objectsByUid(context.store.reader, [id])
  if (object?.kind !== 'Agent') throw fail('SW_NOT_FOUND', `there is no agent ${id}`)
  return { namespace: object.namespace, name: object.name }
}

function optionsOf(reply: FastifyReply, query: Static<typeof LogQuery>, context: ApiContext): LogOptions {
  return { follow: query.follow, tailLines: query.tail_lines ?? null, signal: requestSignal(reply, context.stopping) }
}

function sendText(reply: FastifyReply, chunks: AsyncIterable<string>): FastifyReply {
  return reply
    .type('text/plain; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(Readable.from(chunks, { objectMode: false }))
}
