import { isObject } from '../../lib/json.ts'
import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import { column, columns, wide } from '../status-parts.ts'
import { environmentSpec, environmentStatus } from './environment.schema.ts'

export const environment = defineKind({
  kind: 'Environment',
  plural: 'environments',
  singular: 'environment',
  shortNames: ['env'],
  scope: 'Cluster',
  description: 'Configures the namespace of the same name: its stage, and what differs there from what objects say.',
  spec: environmentSpec,
  status: environmentStatus,
  columns: columns([
    column('Stage', '.spec.stage', 'dev, test or prod.'),
    wide('Class', '.spec.class', 'control or product.'),
  ]),
  conditions: conditionTable(),
  reasons: COMMON_REASONS,
  references: (spec) => {
    const provider = isObject(spec['models']) ? spec['models']['provider'] : undefined
    return typeof provider === 'string'
      ? [{ kind: 'ModelProvider', name: provider, pointer: '/spec/models/provider', strength: 'required' }]
      : []
  },
  example: `apiVersion: stateward.dev/v1alpha1
kind: Environment
metadata:
  name: prod
spec:
  envId: prod-eu
  class: product
  stage: prod
  overrides:
    - target: {kind: Agent, name: sre}
      patch: {replicas: 2}
`,
})
