import Type, { type Static } from 'typebox'
import type { Change } from '../../../plan/change-set.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable } from '../schemas.ts'

const HeldChange = Type.Object(
  {
    kind: Type.String(),
    namespace: Type.String({ description: 'empty for a kind without namespaces' }),
    name: Type.String(),
    action: Type.Enum(['create', 'update', 'delete'], { description: 'what it would be' }),
    reason: Type.String({ description: 'ApprovalRequired, PolicyDenied or OutsideWindow' }),
    message: Type.String({ description: 'what is missing, and the command that helps' }),
    from: Nullable(Type.String({ description: 'effective digest that is applied' })),
    to: Nullable(Type.String({ description: 'effective digest that is wanted' })),
    fields: Type.Array(Type.String(), { description: 'JSON pointers of what differs' }),
    asks: Type.Array(Type.Object({ min: Type.Integer(), from_any_of: Type.Array(Type.String()), by: Type.String() }), {
      description: 'whom policies and owners of paths ask; empty where it waits with another object',
    }),
    approvers: Type.Array(Type.String(), { description: 'who has agreed' }),
    file: Nullable(Type.String()),
  },
  { title: 'HeldChange' },
)

const sample: Static<typeof HeldChange> = {
  kind: 'Agent',
  namespace: 'default',
  name: 'sre',
  action: 'update',
  reason: 'ApprovalRequired',
  message: 'waits for 1 approval of role:owner-admin (policy tools, rule owners): `stateward approve agent/sre`',
  from: SAMPLE.digest,
  to: SAMPLE.digest,
  fields: ['/spec/tools/1'],
  asks: [{ min: 1, from_any_of: ['role:owner-admin'], by: 'policy tools, rule owners' }],
  approvers: [],
  file: 'agents/sre.yaml',
}

export const listChanges = route({
  operation: 'listHeldChanges',
  method: 'GET',
  path: '/api/v1/changes',
  tag: 'changes',
  access: 'read',
  summary: 'List changes that wait for an approval at the head, or are denied',
  answers: {
    200: Type.Object({ items: Type.Array(HeldChange), correlation_id: Type.String() }, { title: 'HeldChanges' }),
  },
  example: { answer: { items: [sample], correlation_id: SAMPLE.correlation } },
  async answer({ correlationId }, { services }) {
    return { items: (await services.approvals.held()).map(heldDto), correlation_id: correlationId }
  },
})

function heldDto(change: Change): Static<typeof HeldChange> {
  const {
    kind,
    namespace,
    name,
    held,
    reason,
    message,
    fromDigest: from,
    toDigest: to,
    fields,
    approval,
    file,
  } = change
  return {
    ...{ kind, namespace, name, action: held ?? 'update', reason: reason ?? '', message: message ?? '', from, to },
    fields: fields.map(({ pointer }) => pointer),
    asks: (approval?.asks ?? []).map(({ min, fromAnyOf, by }) => ({ min, from_any_of: [...fromAnyOf], by })),
    approvers: [...(approval?.approvers ?? [])],
    file: file ?? null,
  }
}
