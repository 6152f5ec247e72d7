import { Ajv } from 'ajv'
import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { KINDS } from '../../kinds/registry.ts'
import { anyManifestSchema, editorSchemaArtefacts, manifestSchema } from './editor-schema.ts'

/** As an editor reads them: draft 7, words it does not know left alone. */
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false })
const any = ajv.compile(anyManifestSchema(KINDS))

test('the schema of all kinds takes every example, and so does the schema of its kind', () => {
  for (const definition of KINDS) {
    const example = load(definition.example)
    expect(any(example), JSON.stringify(any.errors)).toBe(true)
    expect(ajv.validate(manifestSchema(definition), example), definition.kind).toBe(true)
  }
})

test('it refuses unknown kinds and fields, and fields of another kind of step', () => {
  const blueprint = (step: object) => ({
    apiVersion: 'stateward.dev/v1alpha1',
    kind: 'Blueprint',
    metadata: { name: 'x' },
    spec: { plan: [{ id: 'a', ...step }] },
  })
  expect(any(blueprint({ kind: 'gate', mode: 'manual' }))).toBe(true)
  expect(any(blueprint({ kind: 'gate', mode: 'manual', prompt: 'x' }))).toBe(false)
  expect(any(blueprint({ kind: 'gate' }))).toBe(false)
  expect(any(blueprint({ kind: 'gate', mode: 'manual', retry: {} }))).toBe(false)
  expect(any({ ...blueprint({ kind: 'gate', mode: 'manual' }), kind: 'Blueprints' })).toBe(false)
})

test('the schema of the first format takes the blueprint it was made for', async () => {
  const artefact = editorSchemaArtefacts(KINDS).find(({ path }) => path.endsWith('blueprint-v0.schema.json'))!
  const validate = ajv.compile(JSON.parse(await artefact.render()) as object)
  const step = { kind: 'gate', id: 'approve', mode: 'manual' }
  expect(validate({ id: 'bp.x_y', trigger: { event_type: 'checkmk.alert' }, plan: [step] })).toBe(true)
  expect(validate({ id: 'bp.x_y', trigger: {}, plan: [step] })).toBe(false)
})
