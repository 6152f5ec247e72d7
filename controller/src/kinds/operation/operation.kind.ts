import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import { localReference } from '../references.ts'
import { column, columns, wide } from '../status-parts.ts'
import { operationSpec, operationStatus } from './operation.schema.ts'

export const operation = defineKind({
  kind: 'Operation',
  plural: 'operations',
  singular: 'operation',
  shortNames: ['op'],
  scope: 'Namespaced',
  description:
    'Something that people who operate the installation do again and again: a program, a call of a tool, or a blueprint, with inputs. Running it makes a run.',
  spec: operationSpec,
  status: operationStatus,
  columns: columns([
    column('Role', '.spec.role', 'Who may run it.'),
    wide('Blueprint', '.spec.blueprintRef.name', 'The blueprint it runs.'),
    wide('Action', '.spec.call.action', 'The tool it calls.'),
    wide('Timeout', '.spec.timeout', 'How long it may take.'),
  ]),
  conditions: conditionTable(),
  reasons: COMMON_REASONS,
  references: (spec) => localReference(spec, 'blueprintRef', 'Blueprint'),
  example: `apiVersion: stateward.dev/v1alpha1
kind: Operation
metadata:
  name: http-check
spec:
  description: Asks an address and says what it answers.
  call:
    action: http.call
    with: {url: "{{ inputs.url }}"}
  inputs:
    - {name: url, schema: {type: string, minLength: 1}, required: true}
  timeout: 30s
  role: operator
`,
})
