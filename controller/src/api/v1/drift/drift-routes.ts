import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { driftById, pageDrifts } from '../../../store/queries/drifts.ts'
import type { ApiContext } from '../../context.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { Name, NamespaceQuery, only, PageQuery, pageOf, Uuid } from '../schemas.ts'
import { Drift, driftDto, sampleDrift } from './drift-dto.ts'

const Params = Type.Object({ drift: Uuid })
const Why = only({ reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })) }, { title: 'DriftRequest' })

export const listDrift = route({
  operation: 'listDrift',
  method: 'GET',
  path: '/api/v1/drift',
  tag: 'drift',
  access: 'read',
  summary: 'List where live state is not what Git says',
  query: only({
    ...PageQuery,
    ...NamespaceQuery,
    kind: Type.Optional(Type.String({ minLength: 1, maxLength: 63, description: '`Agent`' })),
    name: Type.Optional(Name),
    source: Type.Optional(Type.String({ minLength: 1, maxLength: 63, description: '`override`' })),
  }),
  answers: { 200: pageOf(Drift) },
  example: { query: { kind: 'Agent' }, answer: samplePage(sampleDrift) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const { kind = null, namespace = null, name = null, source = null, limit } = query
    const at = query.cursor === undefined ? null : decodeCursor(query.cursor, ['string', 'string', 'string', 'uuid'])
    const after = at === null ? null : { kind: at[0], namespace: at[1], name: at[2], id: at[3] }
    const rows = await pageDrifts(reader, { kind, namespace, name, source }, { after, limit: limit + 1 })
    return pageBody(rows, { limit, correlationId }, (row) => [row.kind, row.namespace, row.name, row.id], driftDto)
  },
})

export const readDrift = route({
  operation: 'readDrift',
  method: 'GET',
  path: '/api/v1/drift/{drift}',
  tag: 'drift',
  access: 'read',
  summary: 'Read one difference',
  params: Params,
  answers: { 200: Drift },
  example: { params: { drift: SAMPLE.intervention }, answer: sampleDrift },
  answer: ({ params }, context) => read(context, params.drift),
})

export const enforceDrift = route({
  operation: 'enforceDrift',
  method: 'POST',
  path: '/api/v1/drift/{drift}/enforce',
  tag: 'drift',
  access: 'objects.intervene',
  summary: 'Put live state back to what Git says',
  description:
    'An override is taken back, and the intervention that set it is over; processes that ended are started; files are written again. The difference is listed until it is gone.',
  params: Params,
  body: Why,
  answers: { 202: Drift },
  example: {
    params: { drift: SAMPLE.intervention },
    body: { reason: 'the key was changed' },
    answer: { ...sampleDrift, enforcing: true },
  },
  async answer({ params, body, caller }, context) {
    const before = await read(context, params.drift)
    await context.services.drift.enforce(params.drift, { reason: body.reason ?? null }, caller)
    return { ...before, enforcing: true }
  },
})

export const adoptDrift = route({
  operation: 'adoptDrift',
  method: 'POST',
  path: '/api/v1/drift/{drift}/adopt',
  tag: 'drift',
  access: 'proposals.write',
  summary: 'Propose the live value as a change of Git',
  description:
    'A proposal with the live value in the file and line that declares it; nothing changes before it is merged.',
  params: Params,
  body: Why,
  answers: { 202: Drift },
  example: {
    params: { drift: SAMPLE.intervention },
    body: {},
    answer: { ...sampleDrift, branch: 'proposals/adopt-suspend-agent-sre', commit: SAMPLE.revision },
  },
  async answer({ params, body, caller }, context) {
    const before = await read(context, params.drift)
    const { branch, commit } = await context.services.drift.adopt(params.drift, { reason: body.reason ?? null }, caller)
    return { ...before, branch, commit }
  },
})

async function read({ store }: ApiContext, id: string) {
  const row = await driftById(store.reader, id)
  if (row === null) throw fail('SW_NOT_FOUND', `there is no difference ${id} any more`)
  return driftDto(row)
}
