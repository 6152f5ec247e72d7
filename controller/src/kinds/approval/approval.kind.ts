import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import { column, columns, wide } from '../status-parts.ts'
import { approvalSpec, approvalStatus } from './approval.schema.ts'

export const approval = defineKind({
  kind: 'Approval',
  plural: 'approvals',
  singular: 'approval',
  shortNames: ['apr'],
  scope: 'Namespaced',
  description:
    'A decision that was merged. About a gate of mode pullRequest: Stateward proposes it on a branch of its own, and merging that branch is the decision; it is read once. About the change of an object: it is the word of whoever signed the commit that wrote it, as long as that change waits.',
  spec: approvalSpec,
  status: approvalStatus,
  columns: columns([
    column('Run', '.spec.runRef.name', 'The run.'),
    column('Step', '.spec.step', 'Its gate.'),
    column('Object', '.spec.change.name', 'The object whose change it is about.'),
    column('Decision', '.spec.decision', 'What was decided.'),
    wide('Outcome', '.status.outcome', 'Whether it came in time.'),
    wide('Actor', '.status.actor', 'Who merged it.'),
  ]),
  conditions: conditionTable(),
  reasons: COMMON_REASONS,
  celRules: [
    {
      rule: 'has(self.change) != has(self.runRef)',
      message: 'it decides a gate of a run, or the change of an object',
      hint: 'write runRef, step and inputDigest, or change',
    },
    {
      rule: 'has(self.runRef) == has(self.step) && has(self.runRef) == has(self.inputDigest)',
      message: 'runRef, step and inputDigest go together',
      hint: 'leave the document as it was proposed',
    },
  ],
  example: `apiVersion: stateward.dev/v1alpha1
kind: Approval
metadata:
  name: auto-remediate-k3q9zt-approve
spec:
  runRef: {name: auto-remediate-k3q9zt}
  step: approve
  inputDigest: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  decision: approve
`,
})
