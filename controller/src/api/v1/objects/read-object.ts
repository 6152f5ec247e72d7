import Type, { type Static } from 'typebox'
import type { ObjectRef } from '../../../kinds/resource.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { positionOf } from '../../../parse/positions.ts'
import { originOfObject, overridesOf } from '../../../store/queries/objects-list.ts'
import { findObject } from '../../../store/queries/objects-read.ts'
import type { ApiContext } from '../../context.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, NamespaceQuery, Nullable, only, Time } from '../schemas.ts'
import { listedDto, listedFields, sampleListed } from './listed-object-dto.ts'
import { targetOf } from './object-target.ts'

export const ObjectParams = Type.Object({
  kind: Type.String({ minLength: 1, maxLength: 63, description: 'kind, plural, singular or short name' }),
  name: Type.String({ minLength: 1, maxLength: 253 }),
})

const Detail = Type.Object(
  {
    ...listedFields,
    annotations: Type.Record(Type.String(), Type.String()),
    spec: Type.Unsafe<Record<string, unknown>>({ ...JsonMap, description: 'as it is written in Git' }),
    effective: Nullable(
      Type.Unsafe<Record<string, unknown>>({
        ...JsonMap,
        description: 'what is acted on: with the template, the environment, what was set live, and defaults',
      }),
    ),
    status: Type.Unsafe<Record<string, unknown>>({ ...JsonMap, description: 'with what is live: pids, heartbeats' }),
    overrides: Type.Array(
      Type.Object({
        path: Type.String({ description: 'JSON pointer into the spec' }),
        value: Type.Unknown(),
        base: Type.Unknown({ description: 'what Git said when it was set' }),
        actor: Type.String(),
        reason: Nullable(Type.String()),
        created_at: Time,
        expires_at: Nullable(Time),
      }),
      { description: 'what was set live, ahead of Git' },
    ),
    line: Nullable(Type.Integer({ description: 'where its document begins in the file, from 1' })),
    text: Nullable(Type.String({ description: 'the file as it was accepted; null when it is gone or not text' })),
    correlation_id: Type.String(),
  },
  { title: 'ObjectDetail' },
)

const sample: Static<typeof Detail> = {
  ...sampleListed,
  annotations: {},
  spec: { template: 'engineer', suspend: false },
  effective: { template: 'engineer', suspend: true, replicas: 1 },
  status: { observedGeneration: 2, instances: 1 },
  overrides: [
    {
      ...{ path: '/suspend', value: true, base: false, actor: 'user:ada', reason: 'too many restarts' },
      ...{ created_at: SAMPLE.time, expires_at: null },
    },
  ],
  line: 1,
  text: 'apiVersion: stateward.dev/v1alpha1\nkind: Agent\n',
  correlation_id: SAMPLE.correlation,
}

export const readObject = route({
  operation: 'readObject',
  method: 'GET',
  path: '/api/v1/objects/{kind}/{name}',
  tag: 'objects',
  access: 'read',
  summary: 'Read an object: what is written, what is acted on, and how it stands',
  params: ObjectParams,
  query: only(NamespaceQuery),
  answers: { 200: Detail },
  example: { params: { kind: 'agent', name: 'sre' }, answer: sample },
  async answer({ params, query, correlationId }, context) {
    const ref = await targetOf(context, { ...params, ...query })
    return { ...(await detailOf(context, ref)), correlation_id: correlationId }
  },
})

async function detailOf(context: ApiContext, ref: ObjectRef): Promise<Omit<Static<typeof Detail>, 'correlation_id'>> {
  const { store, services } = context
  const row = await findObject(store.reader, ref)
  const origin = row === null ? null : await originOfObject(store.reader, row.uid)
  if (row === null || origin === null) throw fail('SW_NOT_FOUND', `${ref.kind} ${ref.name} is gone`)
  const [overrides, live, text] = await Promise.all([
    overridesOf(store.engine, ref),
    services.views.liveStatus(row.kind, [row.uid]),
    isFile(origin.file) ? services.repository.text({ path: origin.file, oid: origin.oid }) : null,
  ])
  const conditions = row.status['conditions']
  const listed = listedDto({
    ...row,
    ...{ source: origin.source, origin_file: origin.file, origin_document: origin.document },
    conditions: Array.isArray(conditions) ? conditions : null,
  })
  return {
    ...listed,
    annotations: { ...row.annotations },
    spec: row.spec,
    effective: services.views.effective(ref),
    status: { ...row.status, ...live.get(row.uid) },
    overrides: overrides.map((each) => ({
      ...each,
      created_at: each.created_at.toISOString(),
      expires_at: each.expires_at?.toISOString() ?? null,
    })),
    line: text === null ? null : lineOf(text, origin.document),
    text,
  }
}

/** What was not declared in a file has a word in brackets instead of a path. */
const isFile = (path: string): boolean => path !== '' && !path.startsWith('(') && !path.startsWith('<')

function lineOf(text: string, document: number): number | null {
  try {
    return positionOf(text, document, '').line
  } catch {
    // The text is that of the accepted file; an older form of documents may count otherwise.
    return null
  }
}
