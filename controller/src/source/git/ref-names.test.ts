import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isFullRefName, isValidRefName, parseRevision, refCandidates } from './ref-names.ts'

describe('names of refs', () => {
  it('are those git accepts', () => {
    for (const name of ['main', 'refs/heads/main', 'a/b-c/d.e', 'ünïcode', 'HEAD', 'a@b'])
      expect(isValidRefName(name), name).toBe(true)
    for (const name of [
      '',
      '@',
      '-x',
      'a..b',
      'a b',
      'a\nb',
      'a\0',
      'a~1',
      'a^',
      'a:b',
      'a?',
      'a*',
      'a[',
      'a\\b',
      'a//b',
      '/a',
      'a/',
      'a.',
      '.a',
      'a/.b',
      'a.lock',
      'a.lock/b',
      'a@{b',
    ]) {
      expect(isValidRefName(name), JSON.stringify(name)).toBe(false)
    }
    expect([isFullRefName('refs/heads/x'), isFullRefName('refs/'), isFullRefName('main')]).toEqual([true, false, false])
  })

  it('hold nothing that could end a line or begin an option, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        if (isValidRefName(text)) expect(text).not.toMatch(/[\0-\x20\x7f]|^-/)
      }),
    )
  })

  it('mean a branch before a tag', () => {
    expect(refCandidates('main')).toEqual(['refs/heads/main', 'refs/tags/main'])
    expect(refCandidates('refs/tags/v1')).toEqual(['refs/tags/v1'])
  })
})

describe('parseRevision', () => {
  it('reads names with ancestors', () => {
    expect(parseRevision('main')).toEqual({ base: 'main', parents: [] })
    expect(parseRevision('main~2^2^')).toEqual({ base: 'main', parents: [1, 1, 2, 1] })
    expect(parseRevision('main~0')).toEqual({ base: 'main', parents: [] })
  })

  it('refuses everything else git would understand', () => {
    for (const text of ['', '~1', 'main@{1}', 'main:file', ':/text', 'main^{tree}', 'a..b', 'main~99999999', 'a b~1'])
      expect(parseRevision(text), text).toBe(null)
  })
})
