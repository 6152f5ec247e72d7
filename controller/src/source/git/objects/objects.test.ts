import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commitMessage, parseCommit, personLine, serializeCommit } from './commit-object.ts'
import { comparePaths, parseTree, serializeTree } from './tree-object.ts'

const oid = fc.stringMatching(/^[0-9a-f]{40}$/)
const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text.isWellFormed() && !/[\0/]/.test(text))

describe('tree objects', () => {
  it("read back as they were written, in git's order", () => {
    const entry = fc.record({ name, oid, mode: fc.constantFrom('100644', '100755', '120000', '160000', '040000') })
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: (item) => item.name }), (entries) => {
        const read = parseTree(serializeTree(entries), 20)
        expect(new Set(read)).toEqual(new Set(entries))
        const keys = read.map((item) => Buffer.from(item.mode === '040000' ? `${item.name}/` : item.name))
        expect(keys).toEqual([...keys].sort(Buffer.compare))
      }),
    )
  })

  it('fail when they are cut short, at any byte', () => {
    const bytes = serializeTree([{ name: 'a', mode: '100644', oid: 'a'.repeat(40) }])
    for (let end = 1; end < bytes.length; end++)
      expect(() => parseTree(bytes.subarray(0, end), 20)).toThrow('cut short')
  })
})

describe('comparePaths', () => {
  it('is the order of the UTF-8 bytes', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(Math.sign(comparePaths(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))))
      }),
    )
  })
})

describe('commit objects', () => {
  it('read back as they were written', () => {
    const person = fc.record({ name: fc.stringMatching(/^[\w .-]*$/), email: fc.stringMatching(/^[\w.@-]*$/) })
    const time = fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(
        oid,
        fc.array(oid, { maxLength: 3 }),
        person,
        person,
        time,
        fc.string({ unit: 'grapheme' }),
        (tree, parents, author, committer, at, message) => {
          fc.pre(message.isWellFormed())
          const commit = parseCommit(
            'f'.repeat(40),
            serializeCommit({ tree, parents, author, committer, time: at, message }),
          )
          const iso = new Date(Math.floor(at.getTime() / 1000) * 1000).toISOString()
          expect(commit).toEqual({
            oid: 'f'.repeat(40),
            tree,
            parents,
            author: { name: author.name.trim(), email: author.email, time: iso },
            committer: { name: committer.name.trim(), email: committer.email, time: iso },
            message: commitMessage(message),
          })
        },
      ),
    )
  })

  it('survive what people put into them', () => {
    const read = (text: string) => parseCommit('f'.repeat(40), Buffer.from(text))
    const tree = `tree ${'a'.repeat(40)}\n`
    expect(read(`${tree}author A <a> 99999999999999999 +0000\n\nx`).author.time).toBe('1970-01-01T00:00:00.000Z')
    expect(read(`${tree}author <a@b> 5 -0700\n\n`)).toMatchObject({
      author: { name: '', email: 'a@b', time: '1970-01-01T00:00:05.000Z' },
      message: '',
    })
    expect(read(`${tree}encoding nonsense\n\nü`).message).toBe('ü')
    expect(read(tree.trim())).toMatchObject({ parents: [], message: '' })
    expect(() => read('blob\n\n')).toThrow('no tree line')
    expect(personLine({ name: ' \n<x>', email: '' }, new Date(1500))).toBe('x <> 1 +0000')
  })
})
