import { isObject } from '../../lib/json.ts'
import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import type { Reference } from '../references.ts'
import { column, columns, wide } from '../status-parts.ts'
import { budgetSpec, budgetStatus } from './budget.schema.ts'

function scopeReference(spec: Readonly<Record<string, unknown>>): Reference[] {
  const scope = spec['scopeRef']
  if (!isObject(scope) || typeof scope['kind'] !== 'string' || typeof scope['name'] !== 'string') return []
  return [{ kind: scope['kind'], name: scope['name'], pointer: '/spec/scopeRef/name', strength: 'optional' }]
}

export const budget = defineKind({
  kind: 'Budget',
  plural: 'budgets',
  singular: 'budget',
  shortNames: ['bud'],
  scope: 'Namespaced',
  description:
    'How much may be spent in a window of time. This version stores budgets and checks their form; it does not act on them yet.',
  spec: budgetSpec,
  status: budgetStatus,
  columns: columns([
    column('Max', '.spec.maxUsd', 'US dollars in a window.'),
    column('Window', '.spec.window', 'The window.'),
    wide('Scope', '.spec.scopeRef.name', 'Whose spending it limits.'),
    wide('Action', '.spec.action', 'What happens when it is used up.'),
  ]),
  conditions: conditionTable(),
  reasons: [...COMMON_REASONS, 'NotYetEnforced'],
  notYetEnforced: true,
  references: scopeReference,
  example: `apiVersion: stateward.dev/v1alpha1
kind: Budget
metadata:
  name: platform-monthly
spec:
  scopeRef: {kind: Environment, name: default}
  maxUsd: 25
  window: month
  alertThresholdPercent: [80, 95]
  action: Pause
`,
})
