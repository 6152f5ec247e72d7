import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ignoreMatcher } from './ignore-rules.ts'

const root = (text: string) => ignoreMatcher([{ directory: '', text }])

describe('ignoreMatcher', () => {
  it('ignores nothing but git itself and the ignore files when there are no rules', () => {
    const ignored = ignoreMatcher([])
    expect(ignored('agents/a.yaml')).toBe(false)
    expect(ignored('.git/config')).toBe(true)
    expect(ignored('vendor/.GIT/config')).toBe(true)
    expect(ignored('.statewardignore')).toBe(true)
    expect(ignored('agents/.statewardignore')).toBe(true)
    expect(ignored('agents/.gitkeep')).toBe(false)
  })

  it('matches names at any depth, tied patterns only where they stand', () => {
    const ignored = root('*.tmp\n/only-root.yaml\ndocs/*.yaml\nbuild/\n')
    expect(ignored('a/b/c.tmp')).toBe(true)
    expect(ignored('only-root.yaml')).toBe(true)
    expect(ignored('a/only-root.yaml')).toBe(false)
    expect(ignored('docs/a.yaml')).toBe(true)
    expect(ignored('docs/sub/a.yaml')).toBe(false)
    expect(ignored('x/build/a.yaml')).toBe(true)
    expect(ignored('x/build', true)).toBe(true)
    expect(ignored('x/build')).toBe(false)
  })

  it('counts the case of letters', () => {
    expect(root('README.yaml')('readme.yaml')).toBe(false)
  })

  it('lets a rule further down bring a file back, but nothing out of an ignored folder', () => {
    const ignored = ignoreMatcher([
      { directory: 'agents', text: '!keep.yaml\n' },
      { directory: '', text: 'keep.yaml\nsecret/\n' },
      { directory: 'secret', text: '!keep.yaml\n' },
    ])
    expect(ignored('keep.yaml')).toBe(true)
    expect(ignored('agents/keep.yaml')).toBe(false)
    expect(ignored('agents/deep/keep.yaml')).toBe(false)
    expect(ignored('secret/keep.yaml')).toBe(true)
  })

  it('keeps the rules of a folder to that folder', () => {
    const ignored = ignoreMatcher([{ directory: 'agents/[x] y', text: '# a comment\n\n*.yaml\n/top.json\n' }])
    expect(ignored('agents/[x] y/a.yaml')).toBe(true)
    expect(ignored('agents/[x] y/deep/a.yaml')).toBe(true)
    expect(ignored('agents/[x] y/top.json')).toBe(true)
    expect(ignored('agents/[x] y/deep/top.json')).toBe(false)
    expect(ignored('agents/x/a.yaml')).toBe(false)
    expect(ignored('a.yaml')).toBe(false)
  })

  it('reads a byte order mark and Windows line ends', () => {
    expect(root('\uFEFFa.yaml\r\nb.yaml\r\n')('a.yaml')).toBe(true)
    expect(root('\uFEFFa.yaml\r\nb.yaml\r\n')('b.yaml')).toBe(true)
  })

  it('says the same about a file wherever its folder hangs', () => {
    const name = fc.stringMatching(/^[a-z]{1,4}$/)
    const pattern = fc.oneof(
      name,
      name.map((text) => `/${text}`),
      name.map((text) => `!${text}`),
      name.map((text) => `${text}/`),
      fc.constant('*'),
    )
    fc.assert(
      fc.property(fc.array(pattern), fc.array(name, { minLength: 1, maxLength: 3 }), (patterns, path) => {
        const text = patterns.join('\n')
        const below = ignoreMatcher([{ directory: 'folder', text }])
        expect(below(`folder/${path.join('/')}`)).toBe(root(text)(path.join('/')))
      }),
    )
  })
})
