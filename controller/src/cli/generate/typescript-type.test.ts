import { describe, expect, it } from 'vitest'
import { typescriptType } from './typescript-type.ts'

describe('typescriptType', () => {
  it.each([
    [{ type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'null' }] } }, 'readonly (string | null)[]'],
    [{ enum: ['a', 'b'] }, '"a" | "b"'],
    [{ type: 'object', patternProperties: { '^.*$': {} } }, '{ readonly [key: string]: unknown }'],
    [{ $ref: '#/components/schemas/Run' }, 'Run'],
    [{}, 'unknown'],
  ])('writes %j as %s', (schema, type) => {
    expect(typescriptType(schema)).toBe(type)
  })

  it('refuses a keyword it does not know', () => {
    expect(() => typescriptType({ type: 'date' })).toThrow(TypeError)
  })
})
