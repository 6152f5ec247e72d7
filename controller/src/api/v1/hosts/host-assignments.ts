import Type from 'typebox'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, media, Nullable, only, Uuid } from '../schemas.ts'
import { HostParams } from './host-dto.ts'
import { ownHost } from './own-host.ts'

const Ordinals = Type.Array(Type.Integer({ minimum: 0 }))

export const awaitHostAssignments = route({
  operation: 'awaitHostAssignments',
  method: 'POST',
  path: '/api/v1/hosts/{host}/assignments',
  tag: 'hosts',
  access: 'host.work',
  summary: 'Wait for what a host is to run',
  description:
    'Answers when something else is to run than `known` says, when there are tasks for it, when somebody reads a log there, or when the time is over.',
  idempotency: false,
  isCounted: false,
  params: HostParams,
  body: only(
    {
      session: Uuid,
      known: Nullable(Type.String({ maxLength: 64, description: '`digest` of the answer before' })),
      wait_seconds: Type.Integer({ minimum: 0, maximum: 30 }),
    },
    { title: 'HostAssignmentsRequest' },
  ),
  answers: {
    200: Type.Object(
      {
        digest: Type.String(),
        slots: Type.Integer(),
        agents: Nullable(
          Type.Array(
            Type.Object({
              target: Type.Unsafe<object>({ ...JsonMap, description: 'the agent as it is wanted' }),
              ordinals: Ordinals,
              elsewhere: Ordinals,
            }),
            { description: 'null = as before' },
          ),
        ),
        queued: Type.Array(Type.Object({ namespace: Type.String(), agent: Type.String() })),
        logs: Type.Array(
          Type.Object({
            request_id: Uuid,
            instance_id: Uuid,
            streams: Type.Array(Type.Enum(['out', 'err'])),
            tail_lines: Nullable(Type.Integer()),
            follow: Type.Boolean(),
          }),
        ),
      },
      { title: 'HostAssignments' },
    ),
  },
  example: {
    params: { host: 'web-1' },
    body: { session: SAMPLE.host, known: null, wait_seconds: 20 },
    answer: {
      digest: SAMPLE.digest,
      slots: 10,
      agents: [{ target: { uid: SAMPLE.agent, namespace: 'default', name: 'sre' }, ordinals: [0], elsewhere: [1] }],
      queued: [],
      logs: [],
    },
  },
  async answer({ principal, params, body, signal }, { services }) {
    return services.hosts.assignments(ownHost(principal, params.host), {
      session: body.session,
      known: body.known,
      waitMs: body.wait_seconds * 1000,
      signal,
    })
  },
})

export const fetchHostTree = route({
  operation: 'fetchHostTree',
  method: 'GET',
  path: '/api/v1/hosts/{host}/trees/{tree}',
  tag: 'hosts',
  access: 'host.work',
  summary: 'Fetch the files of an agent that is to run on the host',
  params: Type.Object({ host: HostParams.properties.host, tree: Type.String({ pattern: '^[0-9a-f]{40,64}$' }) }),
  answers: { 200: media('application/gzip', 'a gzipped tar of the directory') },
  example: { params: { host: 'web-1', tree: SAMPLE.revision }, answer: '…' },
  async stream(reply, { principal, params }, { services }) {
    const archive = await services.hosts.tree(ownHost(principal, params.host), params.tree)
    return reply.header('content-type', 'application/gzip').send(archive)
  },
})

export const sendHostLog = route({
  operation: 'sendHostLog',
  method: 'POST',
  path: '/api/v1/hosts/{host}/logs/{request}',
  tag: 'hosts',
  access: 'host.work',
  summary: 'Send a piece of a log that somebody reads',
  idempotency: false,
  isCounted: false,
  bodyLimit: 512 * 1024,
  params: Type.Object({ host: HostParams.properties.host, request: Uuid }),
  body: only(
    {
      session: Uuid,
      n: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }),
      text: Type.String({ maxLength: 65_536 }),
      is_last: Type.Boolean(),
    },
    { title: 'HostLogPiece' },
  ),
  answers: { 200: Type.Object({ wanted: Type.Boolean({ description: 'somebody still reads' }) }) },
  example: {
    params: { host: 'web-1', request: SAMPLE.correlation },
    body: { session: SAMPLE.host, n: 0, text: 'started\n', is_last: false },
    answer: { wanted: true },
  },
  async answer({ principal, params, body }, { services }) {
    return { wanted: await services.hosts.logPiece(ownHost(principal, params.host), params.request, body) }
  },
})
