import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import { column, columns, wide } from '../status-parts.ts'
import { hostSpec, hostStatus } from './host.schema.ts'

export const host = defineKind({
  kind: 'Host',
  plural: 'hosts',
  singular: 'host',
  shortNames: ['ho'],
  scope: 'Cluster',
  description: 'A machine that runs agents: its labels and how many it takes.',
  spec: hostSpec,
  status: hostStatus,
  columns: columns([
    { ...column('Slots', '.status.allocatable.agentSlots', 'Slots for agents.'), type: 'integer' },
    { ...column('Used', '.status.allocated.agentSlots', 'Slots that are taken.'), type: 'integer' },
    wide('Role', '.spec.role', 'What it is for.'),
    wide('Phase', '.status.bootPhase', 'How far its start is.'),
    { ...wide('Heartbeat', '.status.lastHeartbeatTime', 'Time since it last reported.'), type: 'date' },
    wide('Unschedulable', '.spec.unschedulable', 'Whether it takes no new instances.', 'boolean'),
  ]),
  conditions: conditionTable(),
  reasons: [...COMMON_REASONS, 'NoHost', 'BelowMinimums', 'HeartbeatMissed', 'Starting'],
  volatile: ['/allocated', '/bootPhase', '/bootDurationMs', '/lastHeartbeatTime', '/metrics', '/drain'],
  example: `apiVersion: stateward.dev/v1alpha1
kind: Host
metadata:
  name: local
spec:
  role: control
  labels: {zone: local, database: "true"}
  capacity: {agentSlots: 10}
  unschedulable: false
  connection: local
`,
})
