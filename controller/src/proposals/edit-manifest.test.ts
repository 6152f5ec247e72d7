import { describe, expect, it } from 'vitest'
import { editManifest } from './edit-manifest.ts'

const AGENT = `# yaml-language-server: $schema=x
kind: Agent   # what it is
spec:
  capabilities: [alerts,  linux]
  runtime:
    process: { command: [node,  a.js] }

  # how many
  replicas: 1
`

describe('editManifest', () => {
  it('adds a field at the end of the map and leaves every other byte alone', () => {
    expect(editManifest(AGENT, 0, ['spec', 'suspend'], true)).toBe(`${AGENT}  suspend: true\n`)
  })

  it('changes only the value of a field that is there', () => {
    expect(editManifest(AGENT, 0, ['spec', 'replicas'], 3)).toBe(AGENT.replace('replicas: 1', 'replicas: 3'))
  })

  it('removes the line of a field and nothing else', () => {
    const suspended = `${AGENT}  suspend: true\n`
    expect(editManifest(suspended, 0, ['spec', 'suspend'], undefined)).toBe(AGENT)
  })

  it('writes a map on one line, also over one of several', () => {
    const limits = { maxTasks: 1, tools: ['http.*'] }
    const written = `${AGENT}  constraints: {"maxTasks":1,"tools":["http.*"]}\n`
    expect(editManifest(AGENT, 0, ['spec', 'constraints'], limits)).toBe(written)
    const block = `kind: A\nspec:\n  constraints:\n    maxTasks: 3\n    tools: [a]\n  replicas: 1\n`
    expect(editManifest(block, 0, ['spec', 'constraints'], limits)).toBe(
      `kind: A\nspec:\n  constraints:\n    {"maxTasks":1,"tools":["http.*"]}\n  replicas: 1\n`,
    )
  })

  it('edits the document that is meant', () => {
    const two = `kind: A\nspec:\n  a: 1\n---\nkind: B\nspec:\n  b: 1\n`
    expect(editManifest(two, 1, ['spec', 'suspend'], true)).toBe(`${two}  suspend: true\n`)
    expect(editManifest(two, 0, ['spec', 'suspend'], true)).toBe(two.replace('a: 1\n', 'a: 1\n  suspend: true\n'))
  })

  it('adds a member to a map in braces', () => {
    expect(editManifest('kind: A\nspec: {a: 1}\n', 0, ['spec', 'suspend'], true)).toBe(
      'kind: A\nspec: {a: 1, suspend: true}\n',
    )
    expect(editManifest('kind: A\nspec: {}\n', 0, ['spec', 'suspend'], true)).toBe('kind: A\nspec: {suspend: true}\n')
  })

  it('removes nothing when the field is not there', () => {
    expect(editManifest(AGENT, 0, ['spec', 'suspend'], undefined)).toBe(AGENT)
  })

  it('keeps a file without a last line break readable', () => {
    expect(editManifest('kind: A\nspec:\n  a: 1', 0, ['spec', 'suspend'], true)).toBe(
      'kind: A\nspec:\n  a: 1\n  suspend: true',
    )
  })

  it('refuses a document without the map, and one that is not there', () => {
    expect(() => editManifest('kind: A\n', 0, ['spec', 'suspend'], true)).toThrow(/cannot be set/)
    expect(() => editManifest('kind: A\n', 3, ['spec', 'suspend'], true)).toThrow(/no document 3/)
  })

  it('refuses an edit that would change more than the field', () => {
    const block = 'kind: A\nspec:\n  text: |\n    suspend'
    expect(editManifest(block, 0, ['spec', 'suspend'], true)).toContain('suspend: true')
    expect(() => editManifest('kind: A\nspec: {suspend: true, a: 1}\n', 0, ['spec', 'suspend'], undefined)).toThrow(
      /cannot be set/,
    )
  })
})
