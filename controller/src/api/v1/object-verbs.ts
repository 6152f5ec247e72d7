import Type, { type Static } from 'typebox'
import type { ObjectRef } from '../../kinds/resource.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { findObject } from '../../store/queries/objects-read.ts'
import type { ApiContext } from '../context.ts'
import { idempotent } from '../http/idempotency.ts'
import { callerOf } from '../http/request-context.ts'
import type { Api } from '../http/typed.ts'
import { resolveKind } from '../kind-names.ts'
import { errorResponses, Name, Nullable, optionalBody, Time } from './schemas.ts'

const ObjectTarget = {
  kind: Type.String({ minLength: 1, maxLength: 63, description: 'kind, plural, singular or short name' }),
  namespace: Type.Optional(Name),
  name: Type.String({ minLength: 1, maxLength: 253 }),
}

const ReconcileRequest = optionalBody(Type.Partial(Type.Object(ObjectTarget)).properties)
const SuspendRequest = Type.Object(
  {
    ...ObjectTarget,
    reason: Type.Optional(Type.String({ maxLength: 1000 })),
    expires_at: Type.Optional(Nullable(Time)),
    merge: Type.Boolean({ default: false, description: 'put the commit on the protected branch at once' }),
  },
  { additionalProperties: false },
)
const ResumeRequest = Type.Object(
  { ...ObjectTarget, merge: Type.Boolean({ default: false }) },
  { additionalProperties: false },
)

const Target = Type.Object({ kind: Type.String(), namespace: Type.String(), name: Type.String() })
const OverrideResponse = Type.Object({
  object: Target,
  suspended: Type.Boolean(),
  branch: Nullable(Type.String({ description: 'the branch that proposes the same change' })),
  commit: Nullable(Type.String()),
  merged: Type.Boolean(),
  correlation_id: Type.String(),
})

/** Verbs on declared objects: reconcile now, suspend, resume. Overrides act at once; the commit follows as a proposal. */
export function addObjectVerbs(app: Api, context: ApiContext): void {
  const { objects } = context.services
  app.post(
    '/api/v1/reconcile',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Reconcile an object now; without one, every source',
        body: ReconcileRequest,
        response: {
          202: Type.Object({ requested_at: Time, object: Nullable(Target), correlation_id: Type.String() }),
          ...errorResponses,
        },
      },
    },
    (request, reply) =>
      idempotent(context.store, request, reply, async () => {
        const { kind, name, namespace } = request.body ?? {}
        if ((kind === undefined) !== (name === undefined)) throw fail('SW_BAD_REQUEST', 'kind and name go together')
        const ref =
          kind === undefined || name === undefined
            ? null
            : await targetOf(context, { kind, name, ...(namespace === undefined ? {} : { namespace }) })
        const { requestedAt } = await objects.reconcile(ref, callerOf(request))
        return { status: 202, body: { requested_at: requestedAt, object: ref, correlation_id: request.id } }
      }),
  )
  app.post(
    '/api/v1/objects/suspend',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Suspend an object',
        body: SuspendRequest,
        response: { 200: OverrideResponse, ...errorResponses },
      },
    },
    (request, reply) =>
      idempotent(context.store, request, reply, async () => {
        const { body } = request
        const ref = await targetOf(context, body)
        const expiresAt = body.expires_at === undefined || body.expires_at === null ? null : new Date(body.expires_at)
        if (expiresAt !== null && expiresAt <= context.clock.now())
          throw fail('SW_BAD_REQUEST', 'expires_at is in the past')
        const result = await objects.suspend(
          ref,
          { reason: body.reason ?? null, expiresAt, merge: body.merge },
          callerOf(request),
        )
        return { status: 200, body: { object: ref, suspended: true, ...result, correlation_id: request.id } }
      }),
  )
  app.post(
    '/api/v1/objects/resume',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Resume an object',
        body: ResumeRequest,
        response: { 200: OverrideResponse, ...errorResponses },
      },
    },
    (request, reply) =>
      idempotent(context.store, request, reply, async () => {
        const ref = await targetOf(context, request.body)
        const result = await objects.resume(ref, { merge: request.body.merge }, callerOf(request))
        return { status: 200, body: { object: ref, suspended: false, ...result, correlation_id: request.id } }
      }),
  )
}

/** The object a body names; throws SW_NOT_FOUND for a kind or an object that is not there. */
async function targetOf(context: ApiContext, body: Static<Type.TObject<typeof ObjectTarget>>): Promise<ObjectRef> {
  const kind = resolveKind(context.kinds, body.kind)
  if (kind === null) {
    throw fail('SW_NOT_FOUND', `there is no kind "${body.kind}"`, {
      remedy: `use one of ${context.kinds.map((each) => each.singular).join(', ')}`,
    })
  }
  const namespace = kind.scope === 'Cluster' ? '' : (body.namespace ?? 'default')
  const row = await findObject(context.store.reader, { kind: kind.kind, namespace, name: body.name })
  if (row === null)
    throw fail(
      'SW_NOT_FOUND',
      `there is no ${kind.singular} "${body.name}"${namespace === '' ? '' : ` in namespace ${namespace}`}`,
    )
  return { kind: row.kind, namespace: row.namespace, name: row.name }
}
