import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import { columns, wide } from '../status-parts.ts'
import { policySpec, policyStatus } from './policy.schema.ts'

export const policy = defineKind({
  kind: 'Policy',
  plural: 'policies',
  singular: 'policy',
  shortNames: ['pol'],
  scope: 'Namespaced',
  description:
    'Rules about who may do what, and what needs an approval. This version stores policies and checks their form; it does not act on them yet.',
  spec: policySpec,
  status: policyStatus,
  columns: columns([
    wide('Mode', '.spec.evaluationMode', 'How rules become one decision.'),
    wide('Enforcement', '.spec.enforcement', 'enforce or evaluate_only.'),
  ]),
  conditions: conditionTable(),
  reasons: [...COMMON_REASONS, 'NotYetEnforced'],
  notYetEnforced: true,
  example: `apiVersion: stateward.dev/v1alpha1
kind: Policy
metadata:
  name: production
spec:
  type: governance
  evaluationMode: first_match
  enforcement: enforce
  rules:
    - id: prod-needs-owner
      priority: 10
      match: {action: cicd.deploy, stage: prod, resourceType: blueprint, subjects: ["role:User"]}
      effect: require_approval
      requirements:
        approvals: {min: 1, fromAnyOf: ["role:OwnerAdmin", "team:platform"]}
        testsRequired: true
        timeWindow: {schedule: "* 9-17 * * 1-5", timeZone: Europe/Berlin}
`,
})
