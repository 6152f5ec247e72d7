import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import { columns, wide } from '../status-parts.ts'
import { principalSpec, principalStatus } from './principal.schema.ts'

export const principal = defineKind({
  kind: 'Principal',
  plural: 'principals',
  singular: 'principal',
  shortNames: ['prin'],
  scope: 'Cluster',
  description:
    'A person: `user:<name>` wherever somebody is named. It says which commits, signatures and logins are of this person, and which roles and teams count when something has to be approved. While it is suspended it counts for nothing.',
  spec: principalSpec,
  status: principalStatus,
  columns: columns([
    wide('Roles', '.spec.roles', 'Roles that count for approvals.'),
    wide('Teams', '.spec.teams', 'Teams that count for approvals.'),
    wide('Name', '.spec.displayName', 'Name for people.'),
  ]),
  conditions: conditionTable(),
  reasons: COMMON_REASONS,
  example: `apiVersion: stateward.dev/v1alpha1
kind: Principal
metadata:
  name: ada
spec:
  displayName: Ada Lovelace
  emails: [ada@example.com]
  roles: [owner-admin]
  teams: [platform]
  signingKeys:
    - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0k6wR0dXgXrEv2kOW3K6J2vQh4pXyO3Rk6kH3m7n2S ada@laptop
  logins: {github: ada}
`,
})
