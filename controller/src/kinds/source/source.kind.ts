import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import { column, columns, wide } from '../status-parts.ts'
import { CODE_OWNERS_FILES } from './code-owners-files.ts'
import { sourceSpec, sourceStatus } from './source.schema.ts'

export const source = defineKind({
  kind: 'Source',
  plural: 'sources',
  singular: 'source',
  shortNames: ['src'],
  scope: 'Cluster',
  description:
    'The state repo itself: where desired state is read from, how far it was applied, and what is wrong with it.',
  spec: sourceSpec,
  status: sourceStatus,
  columns: columns([
    { ...column('Objects', '.status.objects', 'Objects it declares.'), type: 'integer' },
    { ...column('Issues', '.status.issueCount', 'Problems in its last revision.'), type: 'integer' },
    wide('Attempted', '.status.lastAttemptedRevision', 'The last commit it tried to apply.'),
    wide('Mode', '.spec.mode', 'enforce or observe.'),
    wide('URL', '.spec.url', 'Where it is read from.'),
  ]),
  conditions: conditionTable({
    healthy: ['Fetched', 'Verified'],
    others: ['StatusPublished', 'ClusterFetched', 'ClusterStatusPublished'],
  }),
  reasons: [
    ...COMMON_REASONS,
    'PartiallyApplied',
    'FetchFailed',
    'CommitUnverified',
    'ObserveOnly',
    'StatusPublishFailed',
    'AnotherController',
  ],
  // Who owns paths is decided as the source itself is: a change of it waits for its owners.
  files: () => CODE_OWNERS_FILES.map((path) => ({ type: 'blob', path, pointer: '', optional: true })),
  celRules: [
    {
      rule: '!(has(self.url) && has(self.path))',
      message: 'url and path exclude each other',
      hint: 'leave one of the two out',
    },
  ],
  example: `apiVersion: stateward.dev/v1alpha1
kind: Source
metadata:
  name: state
spec:
  ref: main
  interval: 60s
  mode: enforce
  ignore: ["drafts/**"]
  healthCheckExprs:
    - kind: Agent
      current: status.readyReplicas == spec.replicas
      failed: status.phase == 'Failed'
`,
})
