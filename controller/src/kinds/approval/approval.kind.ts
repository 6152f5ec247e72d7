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
    'Decides a gate of mode pullRequest: Stateward proposes it on a branch of its own, and merging that branch is the decision. It is read once; removing it afterwards changes nothing.',
  spec: approvalSpec,
  status: approvalStatus,
  columns: columns([
    column('Run', '.spec.runRef.name', 'The run.'),
    column('Step', '.spec.step', 'Its gate.'),
    column('Decision', '.spec.decision', 'What was decided.'),
    wide('Outcome', '.status.outcome', 'Whether it came in time.'),
    wide('Actor', '.status.actor', 'Who merged it.'),
  ]),
  conditions: conditionTable(),
  reasons: COMMON_REASONS,
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
