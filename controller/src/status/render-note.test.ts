import { describe, expect, test } from 'vitest'
import type { Change } from '../plan/change-set.ts'
import { type NoteInput, renderNote } from './render-note.ts'

const change = (name: string, rest: Partial<Change> = {}): Change => ({
  kind: 'Agent',
  namespace: 'default',
  name,
  action: 'create',
  fields: [],
  fromDigest: null,
  toDigest: 'd',
  ...rest,
})
const note = (rest: Partial<NoteInput> = {}) =>
  renderNote({
    outcome: 'applied',
    counts: { create: 0, update: 0, unchanged: 0, delete: 0, skip: 0, blocked: 0 },
    changes: [],
    issues: [],
    ignored: 0,
    digest: 'abc',
    ...rest,
  })

describe('renderNote', () => {
  test('tells the outcome, the changes, the problems and the digest', () => {
    const issue = {
      code: 'SW_BAD_VALUE',
      severity: 'error',
      message: 'too small',
      hint: 'write 1',
      file: 'a.yaml',
      line: 3,
      column: 7,
    } as const
    const text = note({
      outcome: 'partial',
      counts: { create: 1, update: 0, unchanged: 7, delete: 0, skip: 0, blocked: 1 },
      changes: [change('a'), change('b', { action: 'blocked', reason: 'ValidationFailed', message: 'why' })],
      issues: [issue],
      ignored: 2,
    })
    expect(text).toBe(`partial: create 1, unchanged 7, blocked 1
  create   Agent/default/a
  blocked  Agent/default/b (ValidationFailed: why)
issue a.yaml:3:7: error: too small (write 1) [SW_BAD_VALUE]
ignored 2 documents of others
plan abc
`)
  })

  test('of a commit that declares nothing is short', () => {
    expect(note()).toBe('applied: no objects\nplan abc\n')
  })

  test('holds at most 200 changes', () => {
    const text = note({ changes: Array.from({ length: 203 }, (_, i) => change(`a${i}`)) })
    expect(text.match(/create /g)).toHaveLength(200)
    expect(text).toContain('  … and 3 more\n')
  })

  test.each([
    ['many problems', Array.from({ length: 5_000 }, (_, i) => `problem ${i} with ä and 😀`)],
    ['one endless problem', ['x'.repeat(500_000)]],
  ])('is at most 64 KiB with %s, and says that it was cut', (_what, messages) => {
    const issues = messages.map((message) => ({
      code: 'SW_BAD_VALUE',
      severity: 'error' as const,
      message,
      hint: 'h',
      file: 'a.yaml',
    }))
    const text = note({ issues })
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(64 * 1024)
    expect(text.startsWith('applied: no objects\n')).toBe(true)
    expect(text.endsWith('… cut at 64 KiB\n')).toBe(true)
  })
})
