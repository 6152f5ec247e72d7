import Type, { type Static } from 'typebox'
import {
  anyValue,
  choice,
  commonFields,
  localRef,
  object,
  objectName,
  optionalAll,
  text,
  time,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'

const digest = (description: string) =>
  text({
    description,
    minLength: 64,
    maxLength: 64,
    pattern: '^[0-9a-f]{64}$',
    hint: 'leave it as it was printed: stateward plan -o approvals',
  })

const change = object(
  {
    kind: text({ description: 'Kind of the object.', minLength: 1, maxLength: 63, pattern: '^[A-Z][A-Za-z0-9]*$' }),
    name: objectName('Its name.'),
    ...optionalAll({
      namespace: objectName('Its namespace; default: that of the document.'),
      from: digest('Effective digest before the change; left out for an object that is created.'),
      to: digest('Effective digest after it; left out for one that is deleted.'),
    }),
  },
  { description: 'The change of one object, from exactly one digest to exactly one other.' },
)

export const approvalSpec = object(
  {
    decision: choice(['approve', 'reject'], { description: 'What is decided.' }),
    ...optionalAll({
      change,
      runRef: localRef('The run that waits.'),
      step: text({ description: 'Path of its gate, for example approve.', minLength: 1, maxLength: 253 }),
      inputDigest: text({
        description: 'Digest of what is asked: the document decides that question and no other.',
        minLength: 64,
        maxLength: 64,
        pattern: '^[0-9a-f]{64}$',
        hint: 'leave it as it was proposed; GET /api/v1/gates/<run>.<step> tells it',
      }),
      reason: text({ description: 'Why; it is kept with the decision.', maxLength: 4000 }),
      input: anyValue({ description: 'The answer, where the gate asks for one by its inputSchema.' }),
      ...commonFields,
    }),
  },
  { description: 'A decision as it was merged: about a gate, or about the change of an object.' },
)

/** An Approval's spec as written. */
export type ApprovalSpec = Static<typeof approvalSpec>

export const approvalStatus = statusOf({
  outcome: Type.Optional(
    choice(['decided', 'late'], {
      description: 'decided: the gate was closed by it. late: the gate was closed before.',
    }),
  ),
  actor: Type.Optional(text({ description: 'Who brought it into the protected branch.' })),
  decidedAt: Type.Optional(time('When it was read.')),
})
