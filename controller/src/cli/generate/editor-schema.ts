import { blueprintV0 } from '../../kinds/blueprint/blueprint-v0.schema.ts'
import { API_VERSION, GROUP, type KindDefinition } from '../../kinds/definition.ts'
import { metadataSchema } from '../../kinds/metadata.ts'
import { KEYWORDS, refusedBy, type SchemaRecord, schemaRecord, type Variants } from '../../kinds/vocabulary.ts'
import { isObject } from '../../lib/json.ts'
import type { Artefact } from './artefact.ts'

/** Kinds' schemas as editors read them (JSON Schema draft 7): completion, descriptions, and our keywords as if/then. */

const DRAFT = 'http://json-schema.org/draft-07/schema#'

function editorSchema(schema: SchemaRecord): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === 'properties' && isObject(value)) {
      result[keyword] = Object.fromEntries(
        Object.entries(value).map(([name, property]) => [name, editorSchema(property as SchemaRecord)]),
      )
    } else if ((keyword === 'items' || keyword === 'additionalProperties') && isObject(value)) {
      result[keyword] = editorSchema(value)
    } else if (keyword === KEYWORDS.hint) {
      result['patternErrorMessage'] = value
    } else if (keyword === KEYWORDS.listType) {
      if (value === 'set') result['uniqueItems'] = true
    } else if (!keyword.startsWith('x-')) {
      result[keyword] = value
    }
  }
  const variants = schema[KEYWORDS.variants] as Variants | undefined
  if (variants !== undefined)
    result['allOf'] = Object.keys(variants.variants).map((name) => variantCondition(variants, name))
  const one = schema[KEYWORDS.exactlyOne] as readonly string[] | undefined
  if (one !== undefined) result['oneOf'] = one.map((field) => ({ required: [field] }))
  return result
}

function variantCondition(variants: Variants, name: string): Record<string, unknown> {
  const required = variants.variants[name]?.required ?? []
  return {
    if: { properties: { [variants.by]: { const: name } }, required: [variants.by] },
    // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema; nothing awaits this object
    then: {
      ...(required.length === 0 ? {} : { required }),
      properties: Object.fromEntries(refusedBy(variants, name).map((field) => [field, false])),
    },
  }
}

/** A whole manifest of one kind. */
export function manifestSchema(definition: KindDefinition): Record<string, unknown> {
  const metadata = editorSchema(schemaRecord(metadataSchema))
  const spec = editorSchema(schemaRecord(definition.spec))
  if (definition.scope === 'Cluster' && isObject(metadata['properties'])) delete metadata['properties']['namespace']
  return {
    type: 'object',
    title: definition.kind,
    description: definition.description,
    additionalProperties: false,
    required: ['apiVersion', 'kind', 'metadata', ...(spec['required'] === undefined ? [] : ['spec'])],
    properties: {
      apiVersion: { const: API_VERSION, description: 'Group and version of the kind.' },
      kind: { const: definition.kind, description: definition.description },
      metadata,
      spec,
    },
  }
}

/** Any manifest: the kind it says chooses its schema. One file with everything, so that it can be copied anywhere. */
export function anyManifestSchema(kinds: readonly KindDefinition[]): Record<string, unknown> {
  return {
    $schema: DRAFT,
    title: 'Stateward manifest',
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata'],
    properties: {
      apiVersion: { const: API_VERSION, description: 'Group and version of the kind.' },
      kind: { enum: kinds.map(({ kind }) => kind), description: 'What is declared.' },
    },
    allOf: kinds.map(({ kind }) => ({
      if: { properties: { kind: { const: kind } }, required: ['kind'] },
      // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema; nothing awaits this object
      then: { $ref: `#/definitions/${kind}` },
    })),
    definitions: Object.fromEntries(kinds.map((definition) => [definition.kind, manifestSchema(definition)])),
  }
}

export function editorSchemaArtefacts(kinds: readonly KindDefinition[]): Artefact[] {
  const json = (name: string, make: () => Record<string, unknown>): Artefact => ({
    path: `crds/schemas/${name}.schema.json`,
    render: async () => `${JSON.stringify(make(), null, 2)}\n`,
  })
  return [
    json(GROUP.split('.')[0]!, () => anyManifestSchema(kinds)),
    json('blueprint-v0', () => ({
      $schema: DRAFT,
      title: 'Stateward blueprint, first format',
      ...editorSchema(schemaRecord(blueprintV0)),
    })),
    ...kinds.map((definition) => json(definition.singular, () => ({ $schema: DRAFT, ...manifestSchema(definition) }))),
  ]
}
