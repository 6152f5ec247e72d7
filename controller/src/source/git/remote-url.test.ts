import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRefspecs, translate } from './refspec.ts'
import { isRemoteUrl, redactUrls, splitCredentials, withCredentials } from './remote-url.ts'

describe('isRemoteUrl', () => {
  it('tells remotes from paths and file URLs', () => {
    for (const text of ['https://h/x.git', 'ssh://git@h/x', 'git://h/x', 'git@github.com:a/b.git', 'host:path'])
      expect(isRemoteUrl(text), text).toBe(true)
    for (const text of ['/srv/x.git', './x', '../x:y', 'x.git', 'file:///srv/x', 'FILE:/x', 'dir/with:colon', 'C:/x'])
      expect(isRemoteUrl(text), text).toBe(false)
  })
})

describe('credentials in URLs', () => {
  it('come out as they went in, and leave a URL without them', () => {
    const part = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text.isWellFormed())
    fc.assert(
      fc.property(part, part, (username, password) => {
        const url = withCredentials('https://example.org:8443/a/b.git', { username, password })
        expect(splitCredentials(url)).toEqual({
          url: 'https://example.org:8443/a/b.git',
          credentials: { username, password },
        })
        expect(redactUrls(`fatal: cannot open '${url}'`)).toBe(
          "fatal: cannot open 'https://***@example.org:8443/a/b.git'",
        )
      }),
    )
  })

  it('stay away from what is not http', () => {
    expect(withCredentials('ssh://git@h/x', { password: 'p' })).toBe('ssh://git@h/x')
    expect(splitCredentials('git@h:x')).toEqual({ url: 'git@h:x', credentials: null })
    expect(splitCredentials('https://h/x')).toEqual({ url: 'https://h/x', credentials: null })
    expect(withCredentials('https://h/x', undefined)).toBe('https://h/x')
  })
})

describe('refspecs', () => {
  it('name full refs on both sides', () => {
    expect(parseRefspecs(['+refs/heads/*:refs/heads/*', 'refs/a/b:refs/c/d'])).toEqual([
      { force: true, source: 'refs/heads/*', target: 'refs/heads/*' },
      { force: false, source: 'refs/a/b', target: 'refs/c/d' },
    ])
    for (const text of [
      'main',
      'main:main',
      ':refs/heads/x',
      'refs/heads/*:refs/heads/x',
      'refs/a:refs/b:refs/c',
      '--exec=x',
      'refs/heads/a b:refs/x/y',
    ]) {
      expect(() => parseRefspecs([text]), text).toThrow('refspec')
    }
  })

  it('translate what a remote has', () => {
    const there = new Map([
      ['refs/heads/a', '1'],
      ['refs/heads/b/c', '2'],
      ['refs/tags/a', '3'],
    ])
    const [all, one] = parseRefspecs(['refs/heads/*:refs/mirror/*', 'refs/tags/none:refs/x/none'])
    expect(translate(all!, there).map(({ target, oid }) => [target, oid])).toEqual([
      ['refs/mirror/a', '1'],
      ['refs/mirror/b/c', '2'],
    ])
    expect(translate(one!, there)).toEqual([])
  })
})
