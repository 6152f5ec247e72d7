import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import { column, columns } from '../status-parts.ts'
import { dashboardSpec, dashboardStatus } from './dashboard.schema.ts'

export const dashboard = defineKind({
  kind: 'Dashboard',
  plural: 'dashboards',
  singular: 'dashboard',
  shortNames: ['dash'],
  scope: 'Namespaced',
  description:
    'A page of widgets at `/ui/`. The one called `overview` in the namespace `default` is what the page shows first; without it, the page has a layout of its own.',
  spec: dashboardSpec,
  status: dashboardStatus,
  columns: columns([column('Title', '.spec.title', 'Its heading.')]),
  conditions: conditionTable(),
  reasons: COMMON_REASONS,
  references: () => [],
  example: `apiVersion: stateward.dev/v1alpha1
kind: Dashboard
metadata:
  name: overview
spec:
  title: The fleet
  widgets:
    - {type: sync, x: 0, y: 0, w: 8, h: 2}
    - {type: health, x: 8, y: 0, w: 4, h: 2}
    - {type: waiting, x: 0, y: 2, w: 6, h: 4}
    - {type: runs, x: 6, y: 2, w: 6, h: 4}
`,
})
