import { isObject } from '../../lib/json.ts'
import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind, type SpecProblem } from '../definition.ts'
import type { Reference } from '../references.ts'
import { column, columns, wide } from '../status-parts.ts'
import { BREAKER_METRICS, breakerSpec, breakerStatus } from './breaker.schema.ts'

const TOOL_ACTIONS = ['pause', 'notify']

function checkBreaker(spec: Readonly<Record<string, unknown>>): SpecProblem[] {
  const { selector, metric, action = 'pause' } = spec
  if (!isObject(selector) || selector['kind'] !== 'Tool') return []
  const problems: SpecProblem[] = []
  const metrics: readonly string[] = BREAKER_METRICS.Tool
  if (!metrics.includes(String(metric)))
    problems.push({
      code: 'SW_BAD_VALUE',
      pointer: '/spec/metric',
      message: `${String(metric)} is not measured of tools`,
      hint: `write one of ${metrics.join(', ')}`,
    })
  if (!TOOL_ACTIONS.includes(String(action)))
    problems.push({
      code: 'SW_BAD_VALUE',
      pointer: '/spec/action',
      message: `a tool cannot be told to ${String(action)}`,
      hint: `write one of ${TOOL_ACTIONS.join(', ')}`,
    })
  return problems
}

function target(spec: Readonly<Record<string, unknown>>): Reference[] {
  const { selector } = spec
  if (!isObject(selector) || typeof selector['name'] !== 'string') return []
  // A built-in tool is declared nowhere.
  const strength = selector['kind'] === 'Agent' ? 'required' : 'optional'
  return [{ kind: String(selector['kind']), name: selector['name'], pointer: '/spec/selector/name', strength }]
}

export const breaker = defineKind({
  kind: 'Breaker',
  plural: 'breakers',
  singular: 'breaker',
  shortNames: ['brk'],
  scope: 'Namespaced',
  description:
    'Breaks off agents or tools by what is measured of them: failures, spending, restarts, the same call again and again. What an agent or a tool says of itself (`spec.breaker`) counts besides.',
  spec: breakerSpec,
  status: breakerStatus,
  columns: columns([
    column('State', '.status.state', 'The worst of its targets.'),
    column('Metric', '.spec.metric', 'What is measured.'),
    wide('Threshold', '.spec.threshold', 'How much opens it.', 'integer'),
    wide('Window', '.spec.window', 'Time that is looked back.'),
    wide('Action', '.spec.action', 'What happens to the target.'),
  ]),
  conditions: conditionTable(),
  reasons: [...COMMON_REASONS],
  volatile: ['/targets', '/trips', '/watched'],
  check: checkBreaker,
  references: target,
  example: `apiVersion: stateward.dev/v1alpha1
kind: Breaker
metadata:
  name: runaways
spec:
  selector: {kind: Agent, matchLabels: {team: platform}}
  metric: repeatedCalls
  threshold: 20
  window: 5m
  action: pause
  cooldown: 15m
`,
})
