import { valueAt } from '../../lib/json.ts'
import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind, type SpecProblem } from '../definition.ts'
import { column, columns, wide } from '../status-parts.ts'
import { toolSpec, toolStatus } from './tool.schema.ts'

function checkTool(spec: Readonly<Record<string, unknown>>): SpecProblem[] {
  if (valueAt(spec, '/executor/command/command/0') !== '') return []
  return [
    {
      code: 'SW_BAD_VALUE',
      pointer: '/spec/executor/command/command/0',
      message: 'the program is an empty word',
      hint: 'name the program to run',
    },
  ]
}

export const tool = defineKind({
  kind: 'Tool',
  plural: 'tools',
  singular: 'tool',
  shortNames: [],
  scope: 'Namespaced',
  description:
    'Something a blueprint can do: a call with parameters and a result. Built-in tools are listed beside the declared ones, read-only.',
  spec: toolSpec,
  status: toolStatus,
  columns: columns([
    column('Risk', '.spec.risk', 'How much harm a wrong call can do.'),
    { ...column('Rehearsal', '.spec.rehearsal', 'Whether it only says what it would do.'), type: 'boolean' },
    wide('Effects', '.spec.sideEffects', 'What a call leaves behind.'),
    wide('Idempotent', '.spec.idempotent', 'Whether repeating a call is harmless.', 'boolean'),
    wide('Builtin', '.status.builtin', 'Whether it is part of Stateward.', 'boolean'),
  ]),
  conditions: conditionTable(),
  reasons: [...COMMON_REASONS, 'CommandNotFound', 'SecretMissing', 'Unreachable', 'Quarantined'],
  references: (spec) => {
    const server = valueAt(spec, '/executor/mcp/server')
    const undo = valueAt(spec, '/undo/action')
    return [
      ...(typeof server === 'string'
        ? [{ kind: 'McpServer', name: server, pointer: '/spec/executor/mcp/server', strength: 'required' } as const]
        : []),
      // It may be a built-in one: the plan knows those.
      ...(typeof undo === 'string'
        ? [{ kind: 'Tool', name: undo, pointer: '/spec/undo/action', strength: 'optional' } as const]
        : []),
    ]
  },
  check: checkTool,
  example: `apiVersion: stateward.dev/v1alpha1
kind: Tool
metadata:
  name: ssh.run
spec:
  description: Says which command it would run on a host.
  executor:
    command:
      command: [cat]
      stdin: json
  inputSchema:
    type: object
    required: [host, cmd]
    properties:
      host: {type: string}
      cmd: {type: string, x-shell: true}
  risk: high
  sideEffects: none
  idempotent: true
  timeout: 30s
  rehearsal: true
`,
})
