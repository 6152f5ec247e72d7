import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, optionalBody, Time } from '../schemas.ts'
import { ObjectTarget, Target, targetOf } from './object-target.ts'

export const reconcileObject = route({
  operation: 'reconcile',
  method: 'POST',
  path: '/api/v1/reconcile',
  tag: 'objects',
  access: 'objects.reconcile',
  summary: 'Reconcile an object now; without one, every source',
  body: optionalBody(Type.Partial(Type.Object(ObjectTarget)).properties),
  answers: {
    202: Type.Object(
      { requested_at: Time, object: Nullable(Target), correlation_id: Type.String() },
      { title: 'ReconcileRequested' },
    ),
  },
  example: {
    body: { kind: 'agent', name: 'sre' },
    answer: {
      requested_at: SAMPLE.time,
      object: { kind: 'Agent', namespace: 'default', name: 'sre' },
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ body, caller, correlationId }, context) {
    const { kind, name, namespace } = body ?? {}
    if ((kind === undefined) !== (name === undefined)) throw fail('SW_BAD_REQUEST', 'kind and name go together')
    const ref =
      kind === undefined || name === undefined
        ? null
        : await targetOf(context, { kind, name, ...(namespace === undefined ? {} : { namespace }) })
    const { requestedAt } = await context.services.objects.reconcile(ref, caller)
    return { requested_at: requestedAt, object: ref, correlation_id: correlationId }
  },
})
