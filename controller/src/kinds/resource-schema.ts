import { GROUP, type KindDefinition, VERSION } from './definition.ts'
import type { RecordKind } from './record-kinds.ts'
import { NAME_PATTERN } from './schema-parts.ts'
import { structuralSchema } from './structural-schema.ts'
import { schemaRecord } from './vocabulary.ts'

/** What a whole resource of a kind looks like, as Kubernetes describes it: the schema of its CRD, and what `kubectl explain` shows. */
export function resourceSchema(definition: KindDefinition): Record<string, unknown> {
  const spec = structuralSchema(schemaRecord(definition.spec), definition.celRules)
  return {
    type: 'object',
    description: definition.description,
    ...(spec['required'] === undefined ? {} : { required: ['spec'] }),
    properties: {
      apiVersion: { type: 'string', description: `${GROUP}/${VERSION}` },
      kind: { type: 'string', description: definition.kind },
      metadata: {
        type: 'object',
        properties: { name: { type: 'string', maxLength: 63, pattern: NAME_PATTERN } },
      },
      spec,
      status: structuralSchema(schemaRecord(definition.status)),
    },
  }
}

type Schema = { type: string; description?: string; properties?: Record<string, Schema>; items?: Schema }

/** What is known of a record beforehand: the fields that its columns show. There are more, and nothing is ever checked by it. */
export function recordSchema({ kind, description, columns }: RecordKind): Record<string, unknown> {
  const root: Schema = { type: 'object', properties: {} }
  for (const { jsonPath, type, description: says } of columns) {
    const place = jsonPath.startsWith(CONDITION) ? ['status', 'conditions', 'message'] : jsonPath.split('.').slice(1)
    if (place[0] === 'metadata') continue
    let at = root
    for (const key of place) {
      if (at.type === 'array') at = at.items!
      at.properties ??= {}
      at = at.properties[key] ??= key === 'conditions' ? conditions() : { type: 'object' }
    }
    Object.assign(at, { type: type === 'date' ? 'string' : type, description: says })
  }
  const [spec, status] = [root.properties!['spec'], root.properties!['status']]
  return {
    type: 'object',
    description,
    properties: {
      apiVersion: { type: 'string', description: `${GROUP}/${VERSION}` },
      kind: { type: 'string', description: kind },
      ...(spec === undefined ? {} : { spec: { ...spec, description: 'What it is.' } }),
      ...(status === undefined ? {} : { status: { ...status, description: 'How it stands.' } }),
    },
  }
}

const CONDITION = '.status.conditions['

function conditions(): Schema {
  const text = (description: string): Schema => ({ type: 'string', description })
  return {
    type: 'array',
    description: 'What kubectl wait waits for.',
    items: {
      type: 'object',
      properties: {
        type: text('Its name.'),
        status: text('True, False or Unknown.'),
        reason: text('Why, in one word.'),
        message: text('Why.'),
        lastTransitionTime: text('Since when.'),
      },
    },
  }
}
