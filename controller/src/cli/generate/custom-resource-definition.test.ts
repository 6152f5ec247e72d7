import { type ASTNode, Environment } from '@marcbachmann/cel-js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fitting } from '../../../test/support/schema-arbitrary.ts'
import type { CelRule } from '../../kinds/definition.ts'
import { KINDS } from '../../kinds/registry.ts'
import { validateSpec } from '../../kinds/validate.ts'
import { KEYWORDS, type SchemaRecord, schemaRecord } from '../../kinds/vocabulary.ts'
import { isObject, valueAt } from '../../lib/json.ts'
import { customResourceDefinition } from './custom-resource-definition.ts'

/** Limits of the API server for one rule and for a whole CRD. */
const RULE_COST_LIMIT = 10_000_000
const CRD_COST_LIMIT = 100_000_000

const cel = new Environment({ unlistedVariablesAreDyn: true })

const FORBIDDEN = [
  '$ref',
  'definitions',
  'const',
  'default',
  'uniqueItems',
  'patternProperties',
  'propertyNames',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'if',
  'then',
]

/** Words that CEL keeps for itself. */
const WORDS = [
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
]

interface Place {
  readonly path: string
  readonly schema: SchemaRecord
  /** How often it may stand in one object. */
  readonly times: number
}

function* placesOf(schema: SchemaRecord, path: string, times = 1): Generator<Place> {
  yield { path, schema, times }
  for (const [name, property] of Object.entries(isObject(schema['properties']) ? schema['properties'] : {}))
    yield* placesOf(property as SchemaRecord, `${path}.${name}`, times)
  if (isObject(schema['items'])) yield* placesOf(schema['items'], `${path}[]`, times * Number(schema['maxItems']))
  if (isObject(schema['additionalProperties']))
    yield* placesOf(schema['additionalProperties'], `${path}.*`, times * Number(schema['maxProperties']))
}

function rulesOf(schema: SchemaRecord): readonly CelRule[] {
  return (schema[KEYWORDS.rules] as readonly CelRule[] | undefined) ?? []
}

/** An upper bound of one evaluation: every node once, a text function a tenth of the longest text; loops are not allowed. */
function costOf(node: ASTNode): number {
  const longestText = 65_536
  switch (node.op) {
    case 'value':
    case 'id':
      return 1
    case '.':
    case '.?':
      return 1 + costOf(node.args[0])
    case '!_':
    case '-_':
      return 1 + costOf(node.args)
    case 'call':
      return 1 + node.args[1].reduce((sum, argument) => sum + costOf(argument), 0)
    case 'rcall':
      expect(['startsWith', 'endsWith', 'contains', 'matches', 'size']).toContain(node.args[0])
      return longestText / 10 + costOf(node.args[1]) + node.args[2].reduce((sum, argument) => sum + costOf(argument), 0)
    case 'list':
      return node.args.reduce((sum, item) => sum + costOf(item), 1)
    case 'map':
      return node.args.reduce((sum, [key, value]) => sum + costOf(key) + costOf(value), 1)
    case '?:':
      return 1 + costOf(node.args[0]) + costOf(node.args[1]) + costOf(node.args[2])
    default:
      return 1 + costOf(node.args[0]) + costOf(node.args[1])
  }
}

describe.each(KINDS.map((definition) => [definition.kind, definition] as const))(
  'the CRD of %s',
  (kind, definition) => {
    const crd = customResourceDefinition(definition)
    const schema = valueAt(crd, '/spec/versions/0/schema/openAPIV3Schema') as SchemaRecord
    const places = [...placesOf(schema, kind)]

    test('is structural', () => {
      for (const { path, schema: at } of places) {
        for (const keyword of FORBIDDEN) expect(at, path).not.toHaveProperty([keyword])
        expect(
          Object.keys(at).filter((keyword) => keyword.startsWith('x-') && !keyword.startsWith('x-kubernetes-')),
          path,
        ).toEqual([])
        expect(at['type'] !== undefined || at[KEYWORDS.anyJson] === true, `${path} has no type`).toBe(true)
        expect(at['additionalProperties'] === undefined || at['properties'] === undefined, path).toBe(true)
        const properties = isObject(at['properties']) ? at['properties'] : {}
        for (const name of (at['required'] as readonly string[] | undefined) ?? []) {
          if (path !== kind) expect(properties, path).toHaveProperty([name])
        }
      }
    })

    test('has rules that read only what Kubernetes lets them: fields of one type, and words of CEL in their own spelling', () => {
      for (const { path, schema: at } of places) {
        for (const { rule } of rulesOf(at)) {
          for (const [, field] of rule.matchAll(/\bself\.(\w+)/g)) {
            const name = /^__(\w+)__$/.exec(field!)?.[1]
            expect(WORDS, `${path}: ${rule}`).not.toContain(field)
            if (name !== undefined) expect(WORDS, `${path}: ${rule}`).toContain(name)
            const read = valueAt(at, `/properties/${name ?? field}`) as SchemaRecord | undefined
            expect(read?.['type'], `${path}: ${field} in ${rule}`).toBeDefined()
          }
        }
      }
    })

    test('has list keys that every item has', () => {
      for (const { path, schema: at } of places) {
        const keys = at[KEYWORDS.listMapKeys] as readonly string[] | undefined
        if (at[KEYWORDS.listType] === 'map')
          expect(valueAt(at, '/items/required'), path).toEqual(expect.arrayContaining([...keys!]))
        if (at[KEYWORDS.listType] === 'set') expect(['string', 'integer'], path).toContain(valueAt(at, '/items/type'))
      }
    })

    test('has patterns that the engine of Kubernetes takes: no looking around, no back references', () => {
      for (const { path, schema: at } of places) {
        if (at['pattern'] !== undefined) expect(String(at['pattern']), path).not.toMatch(/\(\?[=!<]|\\[1-9]/)
      }
    })

    test('has rules whose cost is bounded', () => {
      let total = 0
      for (const { path, schema: at, times } of places) {
        for (const { rule } of rulesOf(at)) {
          const cost = costOf(cel.parse(rule).ast) * times
          expect(cost, `${path}: ${rule}`).toBeLessThan(RULE_COST_LIMIT)
          total += cost
        }
      }
      expect(total).toBeLessThan(CRD_COST_LIMIT)
    })

    test('has rules that hold for every spec the validator takes', () => {
      const spec = (schema['properties'] as SchemaRecord)['spec'] as SchemaRecord
      fc.assert(
        fc.property(fitting(schemaRecord(definition.spec)), (value) => {
          // What its schema takes; what fields say of each other beyond that is in `check` alone.
          fc.pre(JSON.stringify(validateSpec(kind, value)) === JSON.stringify(definition.check(value as SchemaRecord)))
          expect(brokenRules(spec, value)).toEqual([])
        }),
        { numRuns: 40 },
      )
    })
  },
)

function brokenRules(schema: SchemaRecord, value: unknown): string[] {
  const here = rulesOf(schema)
    // The CEL at hand takes its own words as names of fields, and knows no other spelling of them.
    .filter(({ rule }) => cel.parse(rule.replaceAll(/\b__(\w+)__/g, '$1'))({ self: value }) !== true)
    .map(({ message }) => message)
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const below = isObject(value)
    ? Object.entries(value).flatMap(([name, member]) =>
        isObject(properties[name]) ? brokenRules(properties[name], member) : [],
      )
    : []
  const items =
    Array.isArray(value) && isObject(schema['items'])
      ? value.flatMap((item: unknown) => brokenRules(schema['items'] as SchemaRecord, item))
      : []
  return [...here, ...below, ...items]
}

test('rules refuse what the validator refuses: a field of another kind of step, a missing one, two sources of one variable', () => {
  const spec = (kind: string): SchemaRecord =>
    valueAt(
      customResourceDefinition(KINDS.find((definition) => definition.kind === kind)!),
      '/spec/versions/0/schema/openAPIV3Schema/properties/spec',
    ) as SchemaRecord
  expect(
    brokenRules(spec('Blueprint'), { plan: [{ id: 'a', kind: 'gate', mode: 'manual', prompt: 'x' }] }),
  ).toHaveLength(1)
  expect(brokenRules(spec('Blueprint'), { plan: [{ id: 'a', kind: 'gate' }] })).toEqual(['gate needs mode'])
  expect(
    brokenRules(spec('Agent'), {
      runtime: { process: { env: [{ name: 'A', value: 'b', secretRef: { name: 'c', key: 'd' } }] } },
    }),
  ).toHaveLength(1)
  expect(brokenRules(spec('Source'), { url: 'a', path: 'b' })).toEqual(['url and path exclude each other'])
})
