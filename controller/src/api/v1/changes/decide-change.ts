import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { route } from '../../http/route.ts'
import { resolveKind } from '../../kind-names.ts'
import { ObjectTarget } from '../objects/object-target.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, only } from '../schemas.ts'

const DecidedChange = Type.Object(
  {
    kind: Type.String(),
    namespace: Type.String(),
    name: Type.String(),
    from: Nullable(Type.String({ description: 'effective digest that was applied; null = it is created' })),
    to: Nullable(Type.String({ description: 'effective digest that is wanted; null = it is deleted' })),
    approved: Type.Boolean({ description: 'whether it goes on' }),
    waits: Nullable(Type.String({ description: 'what is missing still' })),
    correlation_id: Type.String(),
  },
  { title: 'DecidedChange' },
)

const sample: Static<typeof DecidedChange> = {
  ...{ kind: 'Agent', namespace: 'default', name: 'sre', from: SAMPLE.digest, to: SAMPLE.digest },
  ...{ approved: true, waits: null, correlation_id: SAMPLE.correlation },
}

export const approveChange = decisionRoute('approve')
export const rejectChange = decisionRoute('reject')

function decisionRoute(decision: 'approve' | 'reject') {
  return route({
    operation: decision === 'approve' ? 'approveChange' : 'rejectChange',
    method: 'POST',
    path: `/api/v1/changes/${decision}`,
    tag: 'changes',
    access: 'proposals.approve',
    summary: decision === 'approve' ? 'Approve the change of an object' : 'Reject the change of an object',
    description:
      'Decides about exactly the change that waits at the head, from what is applied to what is wanted. Whoever made the change, and agents of the lineage of whoever proposed it, count for nothing (403). The last word of each counts.',
    body: only(
      {
        ...ObjectTarget,
        to: Type.Optional(
          Nullable(
            Type.String({ maxLength: 128, description: 'the effective digest that was looked at: another one is 409' }),
          ),
        ),
        reason: Type.Optional(Type.String({ maxLength: 4000 })),
        source: Type.Optional(Type.Enum(['api', 'cli'], { description: 'default: api' })),
      },
      { title: 'ChangeDecision' },
    ),
    answers: { 200: DecidedChange },
    example: {
      body: { kind: 'agent', name: 'sre', reason: 'looks right' },
      answer: decision === 'approve' ? sample : { ...sample, approved: false, waits: 'rejected by user:ada' },
    },
    async answer({ body, caller, correlationId }, { kinds, services }) {
      const kind = resolveKind(kinds, body.kind)
      if (kind === null) throw fail('SW_NOT_FOUND', `there is no kind "${body.kind}"`)
      const namespace = kind.scope === 'Cluster' ? '' : (body.namespace ?? 'default')
      const target = { kind: kind.kind, namespace, name: body.name, ...(body.to === undefined ? {} : { to: body.to }) }
      const word = { decision, reason: body.reason ?? null, source: body.source ?? 'api' }
      return { ...(await services.approvals.decide(target, word, caller)), correlation_id: correlationId }
    },
  })
}
