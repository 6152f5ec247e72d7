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
    'How much may be spent in a window of time. What costs something is paid from every budget above it, from the environment down to the run: the money is kept before it begins, and settled after. A window is one of the calendar, in UTC.',
  spec: budgetSpec,
  status: budgetStatus,
  columns: columns([
    column('Max', '.spec.maxUsd', 'US dollars in a window.'),
    column('Window', '.spec.window', 'The window.'),
    column('Used', '.status.used', 'US dollars used in this window.'),
    column('Left', '.status.remaining', 'US dollars that are neither used nor reserved.'),
    wide('Scope', '.spec.scopeRef.name', 'Whose spending it limits.'),
    wide('Action', '.spec.action', 'What happens when it is used up.'),
  ]),
  conditions: conditionTable({ bad: ['OverBudget'] }),
  reasons: [...COMMON_REASONS, 'BudgetExhausted'],
  volatile: ['/used', '/reserved', '/remaining', '/forecast'],
  celRules: [
    {
      rule: "self.scopeRef.kind != 'ModelProvider' || !has(self.window) || self.window == 'month'",
      message: 'a budget of a ModelProvider counts by the month',
      hint: 'leave window out, or write window: month',
    },
  ],
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
