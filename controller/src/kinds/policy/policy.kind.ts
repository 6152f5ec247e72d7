import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import { column, columns, wide } from '../status-parts.ts'
import { policySpec, policyStatus } from './policy.schema.ts'

export const policy = defineKind({
  kind: 'Policy',
  plural: 'policies',
  singular: 'policy',
  shortNames: ['pol'],
  scope: 'Namespaced',
  description:
    'Rules about who may do what, and what needs an approval. An edit is a new version; every decision is recorded with the version and the rule that made it.',
  spec: policySpec,
  status: policyStatus,
  columns: columns([
    column('Version', '.status.version', 'The version in force.'),
    column('Rules', '.status.rules', 'Its rules.'),
    column('Denied', '.status.decisions.denied', 'What it denied in the last day.'),
    wide('Mode', '.spec.evaluationMode', 'How rules become one decision.'),
    wide('Enforcement', '.spec.enforcement', 'enforce or evaluate_only.'),
  ]),
  conditions: conditionTable(),
  reasons: COMMON_REASONS,
  volatile: ['/decisions'],
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
