import { describe, expect, it } from 'vitest'
import { shortRevision } from '../lib/short-revision.ts'
import type { PrinterColumn } from './definition.ts'
import { cellOf } from './printer-cell.ts'

const NOW = new Date('2026-05-04T10:00:00.000Z')
const column = (jsonPath: string, type: PrinterColumn['type'] = 'string'): PrinterColumn => ({
  name: 'X',
  type,
  jsonPath,
  description: '',
  priority: 0,
})

describe('cellOf', () => {
  const object = {
    at: '2026-05-04T09:57:00.000Z',
    none: null,
    off: false,
    zero: 0,
    list: ['a', 'b'],
    map: { a: 1 },
    bad: 'soon',
  }

  it.each([
    ['.at', 'date', '3m'],
    ['.bad', 'date', 'soon'],
    ['.none', 'string', '-'],
    ['.missing', 'string', '-'],
    ['.off', 'boolean', 'false'],
    ['.zero', 'integer', '0'],
    ['.list', 'string', 'a,b'],
    ['.list[*]', 'string', 'a,b'],
    ['.map', 'string', '{"a":1}'],
  ] as const)('shows %s as a %s: %s', (path, type, expected) => {
    expect(cellOf(object, column(path, type), NOW)).toBe(expected)
  })
})

describe('shortRevision', () => {
  it('shortens commits and digests of folders and nothing else', () => {
    expect(shortRevision('0123456789abcdef0123456789abcdef01234567')).toBe('0123456')
    expect(shortRevision(`dir@${'ab'.repeat(32)}`)).toBe('dir@abababa')
    expect(shortRevision(`${'01'.repeat(20)}+cluster@${'ab'.repeat(20)}`)).toBe('0101010+cluster@abababa')
    expect(shortRevision('main')).toBe('main')
    expect(shortRevision('0123456789')).toBe('0123456789')
  })
})
