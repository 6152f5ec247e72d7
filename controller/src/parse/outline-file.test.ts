import { describe, expect, test } from 'vitest'
import { agent, manifest, PARSE_OPTIONS, parsed } from '../../test/support/state-files.ts'
import { outlineFile } from './outline-file.ts'

const outline = (text: string) => {
  const bytes = Buffer.from(text)
  return outlineFile({ path: 'a.yaml', oid: 'oid', mode: '100644', size: bytes.length, bytes }, PARSE_OPTIONS)
}

describe('the outline of a file', () => {
  test('declares what the whole file does', () => {
    const text = `${agent('a', { replicas: 2 }, { labels: { team: 'x' }, namespace: 'prod' })}---\n${manifest('Host', 'h')}---\n`
    expect(outline(text)?.resources).toEqual(parsed('a.yaml', text).resources)
  })

  test('is not asked whether a document is sound', () => {
    expect(outline(agent('a', { replics: 2 }))?.resources).toMatchObject([{ name: 'a', spec: { replics: 2 } }])
  })

  test.each([
    ['broken YAML', 'kind: ['],
    ['documents of others', 'apiVersion: v1\nkind: Service\nmetadata: {name: x}'],
    ['another version', agent('a').replace('v1alpha1', 'v9')],
    ['a kind nobody knows', agent('a').replace('kind: Agent', 'kind: Agnet')],
    ['a former form', 'id: fix\ntrigger: {}\nplan: []'],
    ['a list', 'apiVersion: v1\nkind: List\nitems: []'],
    ['a name that is none', manifest('Host', 'a/b')],
    ['no name', 'apiVersion: stateward.dev/v1alpha1\nkind: Host\nmetadata: {}'],
    ['an anchor', `${agent('a')}  labels: &x {a: b}\n`],
    ['a spec that is none', 'apiVersion: stateward.dev/v1alpha1\nkind: Host\nmetadata: {name: h}\nspec: []'],
    ['NUL bytes', `${agent('a')}\u0000`],
  ])('needs a closer look at %s', (_, text) => {
    expect(outline(text)).toBeNull()
  })
})
