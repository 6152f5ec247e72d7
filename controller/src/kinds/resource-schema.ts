import { GROUP, type KindDefinition, VERSION } from './definition.ts'
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
