import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Environment } from '@marcbachmann/cel-js'
import { loadAll } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { kindOf } from '../../src/kinds/registry.ts'
import { KEYWORDS, type SchemaRecord } from '../../src/kinds/vocabulary.ts'
import { isObject, valueAt } from '../../src/lib/json.ts'
import { parseFile } from '../../src/parse/parse-file.ts'
import { PARSE_OPTIONS } from '../support/state-files.ts'

/**
 * Every manifest that the documentation shows, put through the schemas of `crds/` as an API server does: what they do not know
 * is cut away, what has the wrong type and what breaks a rule is refused. What comes out has to be what went in.
 */

const root = fileURLToPath(new URL('../../../', import.meta.url))
const cel = new Environment({ unlistedVariablesAreDyn: true })

interface Shown {
  readonly place: string
  readonly text: string
  readonly document: SchemaRecord
}

async function pages(): Promise<string[]> {
  const found = await readdir(join(root, 'docs'), { recursive: true })
  return ['README.md', ...found.filter((path) => path.endsWith('.md')).map((path) => join('docs', path))].sort()
}

/** The documents of ours in the fenced blocks of a page; a block that is cut short with `…` is an outline, not a manifest. */
function manifestsOf(page: string, text: string): Shown[] {
  return [...text.matchAll(/^( *)```ya?ml\n([\s\S]*?)^\1```/gm)].flatMap(([, indent, block], n) => {
    const plain = block!.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
    if (!/^apiVersion: stateward\.dev\//m.test(plain) || /…/.test(plain)) return []
    return plain.split(/^---$/m).flatMap((part): Shown[] => {
      const [document] = loadAll(part)
      if (!isObject(document) || document['apiVersion'] !== 'stateward.dev/v1alpha1') return []
      return [{ place: `${page}, block ${n + 1}: ${String(document['kind'])}`, text: part, document }]
    })
  })
}

const shown = (
  await Promise.all((await pages()).map(async (page) => manifestsOf(page, await readFile(join(root, page), 'utf8'))))
).flat()

const schemas = new Map<string, SchemaRecord>()
async function schemaOf(kind: string): Promise<SchemaRecord> {
  const known = schemas.get(kind)
  if (known !== undefined) return known
  const [crd] = loadAll(await readFile(join(root, `crds/stateward.dev_${kindOf(kind)!.plural}.yaml`), 'utf8'))
  const schema = valueAt(crd, '/spec/versions/0/schema/openAPIV3Schema') as SchemaRecord
  schemas.set(kind, schema)
  return schema
}

describe('manifests of the documentation', () => {
  test('are there', () => expect(shown.length).toBeGreaterThan(20))

  test.each(shown.map((one) => [one.place, one] as const))('%s', async (_place, { document, text }) => {
    const { issues } = parseFile(
      { path: 'shown.yaml', oid: 'x', mode: '100644', size: text.length, bytes: Buffer.from(text) },
      PARSE_OPTIONS,
    )
    expect(issues.filter(({ severity }) => severity === 'error')).toEqual([])
    const schema = await schemaOf(String(document['kind']))
    const problems: string[] = []
    // The metadata of an object is what every kind has; the API server knows it by itself.
    const { metadata, ...rest } = document
    expect(through(schema, rest, '', problems)).toEqual(rest)
    expect(problems).toEqual([])
    expect(isObject(metadata) && typeof metadata['name']).toBe('string')
  })
})

/** A value as the API server keeps it; what it would refuse is added to `problems`. */
function through(schema: SchemaRecord, value: unknown, path: string, problems: string[]): unknown {
  if (schema[KEYWORDS.anyJson] === true && schema['properties'] === undefined) return value
  const { type } = schema
  if (!fits(String(type), value)) problems.push(`${path} is no ${String(type)}`)
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value))
    problems.push(`${path} is not one of its values`)
  if (
    typeof schema['pattern'] === 'string' &&
    typeof value === 'string' &&
    !new RegExp(schema['pattern'], 'u').test(value)
  )
    problems.push(`${path} does not match ${schema['pattern']}`)
  // The CEL at hand takes its own words as names of fields, and knows no other spelling of them.
  for (const { rule, message } of (schema[KEYWORDS.rules] as readonly { rule: string; message: string }[]) ?? [])
    if (cel.parse(rule.replaceAll(/\b__(\w+)__/g, '$1'))({ self: value }) !== true) problems.push(`${path}: ${message}`)
  if (Array.isArray(value)) {
    const max = Number(schema['maxItems'] ?? Number.POSITIVE_INFINITY)
    if (value.length > max) problems.push(`${path} has more than ${max} items`)
    return value.map((item, n) => through(schema['items'] as SchemaRecord, item, `${path}[${n}]`, problems))
  }
  if (!isObject(value)) return value
  for (const name of path === '' ? ['spec'] : ((schema['required'] as readonly string[] | undefined) ?? []))
    if (!Object.hasOwn(value, name)) problems.push(`${path}.${name} is missing`)
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const { additionalProperties: others } = schema
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => {
      const below = Object.hasOwn(properties, name) ? properties[name] : others
      return isObject(below) ? [[name, through(below, member, `${path}.${name}`, problems)]] : []
    }),
  )
}

function fits(type: string, value: unknown): boolean {
  switch (type) {
    case 'object':
      return isObject(value)
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    case 'number':
      return typeof value === 'number'
    default:
      return typeof value === type
  }
}
