import { isObject } from '../../lib/json.ts'
import { parseUsd } from '../../lib/usd.ts'
import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind, type SpecProblem } from '../definition.ts'
import { column, columns, wide } from '../status-parts.ts'
import { modelProviderSpec, modelProviderStatus } from './model-provider.schema.ts'

type Spec = Readonly<Record<string, unknown>>

const LOCAL_TYPES = ['ollama', 'llama-cpp', 'scripted']

/** Where prompts go that a provider gets. */
export function providerClass(spec: Spec): 'local' | 'cloud' {
  if (spec['class'] === 'local' || spec['class'] === 'cloud') return spec['class']
  return LOCAL_TYPES.includes(String(spec['type'])) ? 'local' : 'cloud'
}

/** A paid model never gets a call whose price nobody knows. */
function priceProblems(spec: Spec): SpecProblem[] {
  if (providerClass(spec) === 'local' || spec['pricing'] !== undefined) return []
  const models = Array.isArray(spec['models']) ? spec['models'] : []
  if (models.length > 0 && models.every((model) => isObject(model) && model['pricing'] !== undefined)) return []
  return [
    {
      code: 'SW_BAD_VALUE',
      pointer: '/spec/type',
      message: 'nobody knows what a provider in the cloud costs that does not say so',
      hint: 'give pricing: {inputPerMTok: …, outputPerMTok: …}, here or for each of its models; 0 is free',
    },
  ]
}

/** A program that is started with one model serves no other at the same time. */
function serverProblems(spec: Spec): SpecProblem[] {
  const server = isObject(spec['server']) ? spec['server'] : {}
  const words = Array.isArray(server['command']) ? server['command'].map(String) : []
  if (!words.some((word) => /\{(model|file)\}/.test(word))) return []
  const models = Array.isArray(spec['models']) ? spec['models'] : []
  const always = models.flatMap((model, i) => (isObject(model) && model['alwaysLoaded'] === true ? [i] : []))
  return always.slice(1).map((i) => ({
    code: 'SW_BAD_VALUE' as const,
    pointer: `/spec/models/${i}/alwaysLoaded`,
    message: 'its server is started with one model, and another one is to be there always',
    hint: 'declare a provider of its own for it, with a port of its own',
  }))
}

function patternProblems(spec: Spec): SpecProblem[] {
  const rules = Array.isArray(spec['script']) ? spec['script'] : []
  return rules.flatMap((rule, i) => {
    const match = isObject(rule) && isObject(rule['match']) ? rule['match'] : {}
    const result = isObject(match['toolResult']) ? match['toolResult'] : {}
    const patterns: readonly (readonly [string, unknown])[] = [
      ['system', match['system']],
      ['lastMessage', match['lastMessage']],
      ['toolResult/contains', result['contains']],
    ]
    return patterns.flatMap(([field, text]) =>
      typeof text !== 'string' || isPattern(text)
        ? []
        : [
            {
              code: 'SW_BAD_VALUE' as const,
              pointer: `/spec/script/${i}/match/${field}`,
              message: 'this is no regular expression',
              hint: 'put a backslash before characters that mean themselves: \\(',
            },
          ],
    )
  })
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'i')
    return true
  } catch {
    return false
  }
}

/** `{inputPerMTok, outputPerMTok}` of a model, in nano-USD for a million tokens; null = nobody says. */
export function pricesOf(spec: Spec, model: string): { readonly input: bigint; readonly output: bigint } | null {
  const models = Array.isArray(spec['models']) ? spec['models'] : []
  const own = models.find((one) => isObject(one) && one['name'] === model)
  const pricing = isObject(own) && isObject(own['pricing']) ? own['pricing'] : spec['pricing']
  if (!isObject(pricing)) return providerClass(spec) === 'local' ? { input: 0n, output: 0n } : null
  const [input, output] = [pricing['inputPerMTok'], pricing['outputPerMTok']].map((one) =>
    typeof one === 'number' || typeof one === 'string' ? parseUsd(one) : null,
  )
  return input == null || output == null ? null : { input, output }
}

export const modelProvider = defineKind({
  kind: 'ModelProvider',
  plural: 'modelproviders',
  singular: 'modelprovider',
  shortNames: ['mp'],
  scope: 'Cluster',
  description:
    'Where models answer: a service in the cloud, a server of this machine, or rules of its own document. What is asked of it is limited, paid and recorded.',
  spec: modelProviderSpec,
  status: modelProviderStatus,
  columns: columns([
    column('Type', '.spec.type', 'How it is spoken to.'),
    column('Class', '.status.class', 'local or cloud.'),
    { ...column('Priority', '.spec.priority', 'The lowest is asked first.'), type: 'integer' },
    wide('Breaker', '.status.breaker', 'closed, open or half_open.'),
    wide('Address', '.spec.baseURL', 'Where it answers.'),
    wide('Health', '.status.health', 'What the last call or test came to.'),
  ]),
  conditions: conditionTable({ healthy: ['Healthy'], bad: ['AliasDrift'] }),
  reasons: [...COMMON_REASONS, 'SecretMissing', 'Failed', 'Starting', 'NotAsked', 'AnotherModel'],
  volatile: ['/health', '/lastCallTime', '/calls', '/failures', '/loaded', '/breaker'],
  check: (spec) => [...priceProblems(spec), ...serverProblems(spec), ...patternProblems(spec)],
  example: `apiVersion: stateward.dev/v1alpha1
kind: ModelProvider
metadata:
  name: claude
spec:
  type: anthropic
  secretRef: {name: anthropic, key: api-key}
  priority: 20
  rateLimit: {requestsPerMinute: 50}
  pricing: {inputPerMTok: 3, outputPerMTok: 15}
  models:
    - {name: claude-sonnet-4-5-20250929, layer: strategic, maxTokens: 4096}
`,
})
