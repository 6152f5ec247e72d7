import fc from 'fast-check'
import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { fitting } from '../../test/support/schema-arbitrary.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { CONDITION_TYPES } from './condition-tables.ts'
import { API_VERSION } from './definition.ts'
import { KINDS, kindByPlural, kindOf } from './registry.ts'
import { fillDefaults, SCHEMA_VERSION, validateMerged, validateMetadata, validateSpec } from './validate.ts'
import { KEYWORDS, type SchemaRecord, schemaRecord } from './vocabulary.ts'

/** Every field below a schema: its path, its schema. */
function* fieldsOf(schema: SchemaRecord, path: string): Generator<[string, SchemaRecord]> {
  for (const [name, property] of Object.entries(isObject(schema['properties']) ? schema['properties'] : {})) {
    if (!isObject(property)) continue
    yield [`${path}.${name}`, property]
    yield* fieldsOf(property, `${path}.${name}`)
    if (isObject(property['items'])) {
      yield [`${path}.${name}[]`, property['items']]
      yield* fieldsOf(property['items'], `${path}.${name}[]`)
    }
  }
}

function isBounded(schema: SchemaRecord): boolean {
  switch (schema['type']) {
    case 'string':
      return schema['enum'] !== undefined || schema['maxLength'] !== undefined
    case 'integer':
      return schema['minimum'] !== undefined && schema['maximum'] !== undefined
    case 'array':
      return schema['maxItems'] !== undefined
    case 'object':
      return (
        schema['properties'] !== undefined || schema[KEYWORDS.anyJson] === true || schema['maxProperties'] !== undefined
      )
    default:
      return true
  }
}

test('the kinds of this version are registered, each under words of its own', () => {
  expect(KINDS.map(({ kind }) => kind).sort()).toEqual([
    'Agent',
    'AgentTemplate',
    'Approval',
    'Blueprint',
    'Breaker',
    'Budget',
    'Dashboard',
    'Environment',
    'EventType',
    'Host',
    'McpServer',
    'ModelProvider',
    'ModelRoute',
    'NotificationRoute',
    'Operation',
    'Policy',
    'Principal',
    'Project',
    'SecretStore',
    'Source',
    'Tool',
  ])
  const words = KINDS.flatMap(({ plural, singular, shortNames }) => [plural, singular, ...shortNames])
  expect(new Set(words).size).toBe(words.length)
})

test('a kind is found by any of its words, in any case', () => {
  for (const word of ['agents', 'agent', 'ag', 'Agent', 'AGENTS']) expect(kindByPlural(word)?.kind).toBe('Agent')
  expect(kindByPlural('nothing')).toBeUndefined()
  expect(kindOf('agent')).toBeUndefined()
})

test('the schema version is a digest', () => {
  expect(SCHEMA_VERSION).toMatch(/^[0-9a-f]{64}$/)
})

test('a kind that nobody registered is a mistake of the caller', () => {
  expect(() => validateSpec('Nothing', {})).toThrow(RangeError)
})

describe.each(KINDS.map((definition) => [definition.kind, definition] as const))('%s', (kind, definition) => {
  const example = load(definition.example) as { apiVersion: string; kind: string; metadata: unknown; spec: JsonObject }

  test('its example is a manifest of its kind that validates', () => {
    expect([example.apiVersion, example.kind]).toEqual([API_VERSION, kind])
    expect(validateMetadata(example.metadata, definition.scope)).toEqual([])
    expect(validateSpec(kind, example.spec)).toEqual([])
    expect(validateMerged(kind, fillDefaults(kind, example.spec))).toEqual([])
  })

  test('every field has a description and limits', () => {
    for (const [path, schema] of [
      ...fieldsOf(schemaRecord(definition.spec), 'spec'),
      ...fieldsOf(schemaRecord(definition.status), 'status'),
    ]) {
      expect(schema['description'], `${path} has no description`).toBeTypeOf('string')
      expect(isBounded(schema), `${path} has no limits`).toBe(true)
    }
  })

  test('an unknown field is refused and the near one proposed', () => {
    for (const field of Object.keys(definition.spec.properties)) {
      const problems = validateSpec(kind, { ...example.spec, [`${field}z`]: 1 })
      expect(problems, field).toEqual([
        expect.objectContaining({
          code: 'SW_UNKNOWN_FIELD',
          pointer: `/spec/${field}z`,
          hint: `did you mean ${field}?`,
        }),
      ])
    }
  })

  test('its default values fit its schema, and filling them twice is filling them once', () => {
    fc.assert(
      fc.property(fitting(schemaRecord(definition.spec), ['needs']), (spec) => {
        fc.pre(validateSpec(kind, spec).length === 0)
        const before = structuredClone(spec)
        const filled = fillDefaults(kind, spec as JsonObject)
        expect(spec).toEqual(before)
        // What is left are checks between fields, where a default is one of the two.
        expect(validateSpec(kind, filled)).toEqual(definition.check(filled))
        expect(fillDefaults(kind, filled)).toEqual(filled)
      }),
      { numRuns: 60 },
    )
  })

  test('its columns begin with READY and STATUS and end with wide ones', () => {
    expect(definition.columns.slice(0, 2).map(({ name }) => name)).toEqual(['Ready', 'Status'])
    const priorities = definition.columns.map(({ priority }) => priority)
    expect(priorities).toEqual([...priorities].sort())
    const shown = definition.columns.filter(({ priority }) => priority === 0).map(({ name }) => name)
    expect(shown.slice(-2)).toEqual(['Revision', 'Age'])
  })

  test('its conditions are known, and what Ready is summed from it owns', () => {
    const { owned, negative, readyFrom } = definition.conditions
    for (const type of owned) expect(CONDITION_TYPES).toHaveProperty(type)
    for (const type of [...negative, ...readyFrom]) expect(owned).toContain(type)
    expect(readyFrom).not.toContain('Ready')
  })

  test('volatile pointers name fields of its status', () => {
    const paths = new Set([...fieldsOf(schemaRecord(definition.status), '')].map(([path]) => path))
    for (const pointer of definition.volatile)
      expect(paths).toContain(pointer.replaceAll('/', '.').replaceAll('.*', '[]'))
  })

  test('dependsOn is a reference of every kind', () => {
    expect(definition.references({ ...example.spec, dependsOn: [{ kind: 'Host', name: 'local' }] })).toContainEqual({
      kind: 'Host',
      name: 'local',
      pointer: '/spec/dependsOn/0',
      strength: 'required',
    })
  })
})

/** Names of all fields of a kind, wherever they stand. */
function fieldNames(kind: (typeof KINDS)[number]): string[] {
  return [
    ...new Set([...fieldsOf(schemaRecord(kind.spec), '')].map(([path]) => path.split('.').at(-1)!.replace('[]', ''))),
  ]
}

test.each(KINDS.map((kind) => [kind.kind, kind] as const))(
  'what a %s names can be asked of any spec, also of one that nobody has checked',
  (_, kind) => {
    const names = fc.constantFrom(...fieldNames(kind))
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, 0, 'x', 'a/b'),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(names, tie('tree'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(fc.dictionary(names, tree, { maxKeys: 6 }), (spec) => {
        kind.references(spec)
        kind.files(spec)
      }),
    )
  },
)
