import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import { column, columns, wide } from '../status-parts.ts'
import { notificationRouteSpec, notificationRouteStatus } from './notification-route.schema.ts'

export const notificationRoute = defineKind({
  kind: 'NotificationRoute',
  plural: 'notificationroutes',
  singular: 'notificationroute',
  shortNames: ['nr'],
  scope: 'Namespaced',
  description:
    'Who is told of which events. Every event is read once; each delivery is a row that is tried again until it arrives or is given up. An environment without a route named `default` has one that opens an alert for every `*.failed` and `*.validation_failed`.',
  spec: notificationRouteSpec,
  status: notificationRouteStatus,
  columns: columns([
    column('Provider', '.spec.provider', 'How it is sent.'),
    { ...column('Pending', '.status.pending', 'Deliveries that are not done.'), type: 'integer' },
    { ...column('Dead', '.status.dead', 'Deliveries that were given up.'), type: 'integer' },
    wide('Events', '.spec.eventNames', 'Which events.'),
  ]),
  conditions: conditionTable(),
  reasons: [...COMMON_REASONS, 'SecretMissing', 'Failed'],
  volatile: ['/lastNotifiedTime', '/pending', '/dead'],
  example: `apiVersion: stateward.dev/v1alpha1
kind: NotificationRoute
metadata:
  name: on-call
spec:
  eventNames: ["*.failed", stateward.alert.raised]
  severity: warning
  provider: webhook
  webhook:
    url: https://hooks.example.com/on-call
  secretRef: {name: hooks, key: on-call}
  dedupeWindow: 10m
  maxPerMinute: 30
`,
})
