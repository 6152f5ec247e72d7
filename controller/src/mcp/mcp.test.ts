import fc from 'fast-check'
import { loadAll } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { NAME_PATTERN } from '../kinds/schema-parts.ts'
import { tool as toolKind } from '../kinds/tool/tool.kind.ts'
import { validateSpec } from '../kinds/validate.ts'
import type { JsonObject } from '../lib/json.ts'
import { compareTools, countsText } from './compare.ts'
import { lockText } from './lock-file.ts'
import { type OfferedTool, offeredDigest, toolNames, withoutShellMarks } from './offered-tool.ts'
import { outputOf } from './result.ts'

const tool = (name: string, more: Partial<OfferedTool> = {}): OfferedTool => ({
  name,
  description: `Does ${name}.`,
  inputSchema: { type: 'object' },
  ...more,
})
const server = { namespace: 'default', name: 'github' }
const documents = (text: string) => loadAll(text) as { metadata: { name: string }; spec: JsonObject }[]

describe('names of Tools', () => {
  it('are names of objects, each its own, whatever a server calls its tools', () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 128 }), { maxLength: 20 })
    fc.assert(
      fc.property(names, (offered) => {
        const found = [...toolNames('github', offered).values()]
        expect(new Set(found).size).toBe(offered.length)
        for (const name of found) {
          expect(name.length).toBeLessThanOrEqual(63)
          expect(name).toMatch(new RegExp(NAME_PATTERN))
        }
      }),
    )
  })

  it('do not depend on the order in which they are offered', () => {
    expect(toolNames('s', ['b_a', 'b-a', 'B a'])).toEqual(toolNames('s', ['B a', 'b-a', 'b_a']))
    expect(toolNames('s', ['search_issues']).get('search_issues')).toBe('s.search-issues')
  })
})

describe('what is offered', () => {
  it('is another tool when anything of it changes, and the same in another order', () => {
    const digest = offeredDigest(tool('a', { inputSchema: { type: 'object', required: ['x'] } }))
    expect(offeredDigest(tool('a', { inputSchema: { required: ['x'], type: 'object' } }))).toBe(digest)
    for (const more of [{ description: 'other' }, { inputSchema: {} }, { annotations: { readOnlyHint: true } }])
      expect(offeredDigest(tool('a', more))).not.toBe(digest)
  })

  it('is compared with what Tools pin', () => {
    const offered = [tool('same'), tool('changed'), tool('new')]
    const pinned = [
      { tool: 'github.same', name: 'same', digest: offeredDigest(tool('same')) },
      { tool: 'mine', name: 'changed', digest: 'x' },
      { tool: 'github.gone', name: 'gone', digest: 'x' },
    ]
    const states = compareTools('github', offered, pinned)
    expect(states.map(({ name, tool: as, state }) => `${name} ${as} ${state}`)).toEqual([
      'changed mine changed',
      'gone github.gone gone',
      'new github.new new',
      'same github.same locked',
    ])
    expect(countsText(states)).toBe('1 locked, 1 new, 1 changed, 1 gone')
  })
})

describe('a lock', () => {
  it('is Tools that pin each digest, with what the server claims of them', () => {
    const offered = [
      tool('search_issues', { annotations: { readOnlyHint: true }, outputSchema: { type: 'object' } }),
      tool('Drop', { annotations: { destructiveHint: true } }),
    ]
    const [drop, search] = documents(lockText(server, offered, []))
    expect(drop).toMatchObject({
      metadata: { name: 'github.drop' },
      spec: { risk: 'high', sideEffects: 'irreversible' },
    })
    expect(search).toMatchObject({
      kind: 'Tool',
      metadata: { name: 'github.search-issues', namespace: 'default' },
      spec: {
        executor: { mcp: { server: 'github', tool: 'search_issues', digest: offeredDigest(offered[0]!) } },
        aliases: ['github.search_issues'],
        risk: 'low',
        idempotent: true,
        outputSchema: { type: 'object' },
      },
    })
    for (const { spec } of [drop!, search!]) expect(validateSpec(toolKind.kind, spec)).toEqual([])
  })

  it('keeps what people said, and Tools of what is not offered any more', () => {
    const first = documents(lockText(server, [tool('a'), tool('b')], []))
    const declared = first.map(({ metadata, spec }) => ({
      tool: metadata.name,
      name: metadata.name.slice('github.'.length),
      spec: { ...spec, risk: 'low', timeout: '5s' } as JsonObject,
    }))
    const next = documents(lockText(server, [tool('a', { description: 'Does more.' })], declared))
    expect(next).toMatchObject([
      { metadata: { name: 'github.a' }, spec: { description: 'Does more.', risk: 'low', timeout: '5s' } },
      { metadata: { name: 'github.b' }, spec: { description: 'Does b.' } },
    ])
    // Written again it is the same text: nothing would be proposed.
    expect(lockText(server, [tool('a'), tool('b')], [])).toBe(lockText(server, [tool('b'), tool('a')], []))
  })

  it('takes out what would ask for a shell', () => {
    const schema = { type: 'object', properties: { cmd: { type: 'string', 'x-shell': true } } }
    expect(JSON.stringify(withoutShellMarks(schema))).not.toContain('x-shell')
  })
})

describe('an answer', () => {
  it('is its structured content, its JSON, its text, or its parts', () => {
    const text = (value: string) => ({ type: 'text', text: value })
    expect(outputOf({ structuredContent: { a: 1 }, content: [text('x')] }, 't')).toEqual({ a: 1 })
    expect(outputOf({ content: [text('{"a":1}')] }, 't')).toEqual({ a: 1 })
    expect(outputOf({ content: [text('one'), text('two')] }, 't')).toEqual({ text: 'one\ntwo' })
    expect(outputOf({ content: [] }, 't')).toEqual({ text: '' })
    const image = { type: 'image', data: 'AA==', mimeType: 'image/png' }
    expect(outputOf({ content: [text('see'), image] }, 't')).toEqual({ content: [text('see'), image] })
  })

  it('that says it is a failure is one', () => {
    expect(() => outputOf({ isError: true, content: [{ type: 'text', text: 'no' }] }, 'github.a')).toThrow(
      'github.a: no',
    )
  })
})
