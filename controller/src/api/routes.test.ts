import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { BODY_LIMIT } from './http/json-body.ts'
import { type OpenApiDocument, openApiDocument, type Parameter } from './openapi/document.ts'
import { ROUTES } from './routes.ts'

const document = openApiDocument(ROUTES)
const ajv = new Ajv2020({ strict: false, allErrors: true })
;(formats as unknown as (ajv: Ajv2020) => void)(ajv)
ajv.addSchema({ ...document, $id: 'openapi' })

/** What is wrong with a value under a schema of the document. */
function problems(pointer: string, value: unknown): unknown[] {
  const validate = ajv.getSchema(`openapi#${pointer}`)
  if (validate === undefined) throw new Error(`no schema at ${pointer}`)
  return validate(value) === true ? [] : (validate.errors ?? [])
}

const pointerPart = (part: string): string => part.replaceAll('~', '~0').replaceAll('/', '~1')

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: operation.operationId,
    pointer: `/paths/${pointerPart(path)}/${method}`,
    path,
    method,
    operation,
  })),
)

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(structuredClone({ ...document }))
    expect([result.valid, result.errors ?? []]).toEqual([true, []])
  })

  it('has a schema for every name it mentions', () => {
    const names = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name)
    expect(names.filter((name) => !(name! in document.components.schemas))).toEqual([])
  })

  it('calls every operation by one name', () => {
    const names = operations.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })
})

/** Documents and files; and what joined hosts send: results of commands, pieces of logs. */
const LARGER: Readonly<Record<string, number>> = {
  callTool: 1_048_576,
  createDraft: 1_048_576,
  saveDraft: 1_048_576,
  createProposal: 8 * 1024 * 1024,
  askHostLedger: 8 * 1024 * 1024,
  sendHostLog: 512 * 1024,
}

describe.each(operations)('$method $path', ({ pointer, path, method, operation }) => {
  const parameters = (operation.parameters ?? []).filter((each): each is Parameter => 'name' in each)

  it('says what it does in one line', () => {
    expect(operation.summary).toMatch(/^[A-Z\d][^\n]*[^.\n]$/)
  })

  it('declares exactly the parameters of its path, with an example of each', () => {
    const inPath = parameters.filter((each) => each.in === 'path')
    expect(inPath.map(({ name }) => name).sort()).toEqual(
      [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort(),
    )
    expect(inPath.every(({ example }) => example !== undefined)).toBe(true)
  })

  it('has examples that fit their schemas', () => {
    for (const [i, parameter] of (operation.parameters ?? []).entries()) {
      if (!('name' in parameter) || parameter.example === undefined) continue
      expect([parameter.name, problems(`${pointer}/parameters/${i}/schema`, parameter.example)]).toEqual([
        parameter.name,
        [],
      ])
    }
    for (const [type, { example }] of Object.entries(operation.requestBody?.content ?? {})) {
      expect(example).toBeDefined()
      expect(problems(`${pointer}/requestBody/content/${pointerPart(type)}/schema`, example)).toEqual([])
    }
    const [first] = Object.entries(operation.responses)
    for (const [type, { example }] of Object.entries((first![1] as { content?: object }).content ?? {}) as [
      string,
      { example?: unknown },
    ][]) {
      expect(example).toBeDefined()
      expect(problems(`${pointer}/responses/${first![0]}/content/${pointerPart(type)}/schema`, example)).toEqual([])
    }
  })

  it('takes no field it does not name', () => {
    const body = operation.requestBody?.content['application/json']?.schema
    if (body === undefined) return
    const schema = resolved(document, body)
    expect([schema['type'], schema['additionalProperties']]).toEqual(['object', false])
    const operationId = operation.operationId.replace(/Alias\d+$/, '')
    expect(operation['x-body-limit']).toBe(LARGER[operationId] ?? BODY_LIMIT)
  })

  it('does not change anything with a GET', () => {
    if (method === 'get') expect(operation.requestBody).toBeUndefined()
    expect(
      [
        'read',
        'messages.read',
        'tasks.read',
        'proposals.read',
        'secrets.read',
        'keys.read',
        'audit.verify',
        'host.work',
        undefined,
      ].includes(operation['x-verb']) || method !== 'get',
    ).toBe(true)
  })
})

function resolved({ components }: OpenApiDocument, schema: Readonly<Record<string, unknown>>) {
  const { $ref } = schema
  return typeof $ref === 'string' ? components.schemas[$ref.slice($ref.lastIndexOf('/') + 1)]! : schema
}
