import { isObject } from '../../lib/json.ts'
import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import type { Reference } from '../references.ts'
import { column, columns } from '../status-parts.ts'
import { modelRouteSpec, modelRouteStatus } from './model-route.schema.ts'

/** The providers it names. */
function providerReferences(spec: Readonly<Record<string, unknown>>): Reference[] {
  const rules = Array.isArray(spec['rules']) ? spec['rules'] : []
  const named = (list: unknown, pointer: string): Reference[] =>
    (Array.isArray(list) ? list : []).flatMap((backend, i): Reference[] =>
      isObject(backend) && typeof backend['provider'] === 'string'
        ? [
            {
              kind: 'ModelProvider',
              name: backend['provider'],
              pointer: `${pointer}/${i}/provider`,
              strength: 'required',
            },
          ]
        : [],
    )
  return [
    ...rules.flatMap((rule, i) => (isObject(rule) ? named(rule['backendRefs'], `/spec/rules/${i}/backendRefs`) : [])),
    ...named(spec['fallbacks'], '/spec/fallbacks'),
  ]
}

export const modelRoute = defineKind({
  kind: 'ModelRoute',
  plural: 'modelroutes',
  singular: 'modelroute',
  shortNames: ['mr'],
  scope: 'Namespaced',
  description:
    'Which model answers which request, and who is asked when it cannot. What the environment says comes first, then what the blueprint or the agent says, then the route; a namespace without one named `default` asks its providers local before cloud, by priority.',
  spec: modelRouteSpec,
  status: modelRouteStatus,
  columns: columns([
    { ...column('Local', '.status.localRatio', 'The share of local providers in the last 24 hours.'), type: 'number' },
    { ...column('Calls', '.status.calls', 'Calls of the last 24 hours.'), type: 'integer' },
  ]),
  conditions: conditionTable({ bad: ['TargetMissed'] }),
  reasons: [...COMMON_REASONS, 'TargetMissed'],
  volatile: ['/localRatio', '/calls', '/measuredAt'],
  references: providerReferences,
  example: `apiVersion: stateward.dev/v1alpha1
kind: ModelRoute
metadata:
  name: default
spec:
  rules:
    - name: complex
      match: {complexity: [high]}
      backendRefs: [{provider: claude, model: claude-sonnet-4-5-20250929}]
    - name: everything else
      backendRefs: [{provider: ollama, model: "mistral:latest"}, {provider: claude}]
  fallbacks:
    - {provider: openai, model: gpt-4o, on: [error, rateLimit, timeout]}
  targets: {localRatio: 0.85}
`,
})
