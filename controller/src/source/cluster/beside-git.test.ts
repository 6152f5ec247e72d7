import { describe, expect, test } from 'vitest'
import type { Source } from '../ports.ts'
import { besideGit } from './beside-git.ts'

const COMMIT = 'c'.repeat(40)
const DIGEST = (of: string) => `cluster@${of.repeat(40)}`

/** A source whose head is what it is set to, and that tells what it was asked for. */
function source(kind: 'git' | 'cluster', asked: string[]) {
  const state = { commit: kind === 'git' ? COMMIT : DIGEST('a'), tree: kind === 'git' ? 'e'.repeat(40) : DIGEST('a') }
  const one: Source = {
    name: 'state',
    head: async () => ({ ...state, message: `of ${kind}`, author: { name: kind, email: '', time: '' } }),
    async changes(from, to) {
      asked.push(`${kind} ${from?.slice(0, 9) ?? 'null'} ${to.slice(0, 9)}`)
      return [{ path: `${kind}.yaml`, to: null }]
    },
    async *read(files) {
      for (const file of files) yield { file, size: 1, bytes: new TextEncoder().encode(kind) }
    },
    oidOf: async (tree) => ({ oid: tree, mode: '040000' }),
    descends: async (from, to) => from <= to,
    watch: async () => ({ close: async () => {} }),
    close: async () => {},
  }
  return { one, state }
}

function both() {
  const asked: string[] = []
  const [git, cluster] = [source('git', asked), source('cluster', asked)]
  return { asked, git, cluster, made: besideGit(git.one, cluster.one) }
}

describe('a state repo and a cluster as one source', () => {
  test('has revisions of both, and asks each only for what changed in it', async () => {
    const { made, cluster, asked } = both()
    const first = await made.head()
    expect(first.commit).toBe(`${COMMIT}+${DIGEST('a')}`)
    Object.assign(cluster.state, { commit: DIGEST('b'), tree: DIGEST('b') })
    const second = await made.head()
    expect(await made.changes(first.tree, second.tree)).toEqual([{ path: 'cluster.yaml', to: null }])
    expect(asked).toEqual([`cluster cluster@a cluster@b`])
    expect(await made.changes(first.tree, first.tree)).toEqual([])
  })

  test('knows trees of the repo alone: all of the cluster is new to them', async () => {
    const { made, asked } = both()
    const { tree } = await made.head()
    await made.changes('e'.repeat(40), tree)
    await made.changes(null, 'e'.repeat(40))
    expect(asked).toEqual(['cluster null cluster@a', 'git null eeeeeeeee'])
    expect(await made.oidOf(tree, 'code')).toEqual({ oid: 'e'.repeat(40), mode: '040000' })
  })

  test('lets a commit speak for what came with it alone', async () => {
    const { made, git, cluster } = both()
    expect((await made.head()).message).toBe('of git')
    Object.assign(cluster.state, { commit: DIGEST('b') })
    expect((await made.head()).message).toBe('')
    expect((await made.head()).message).toBe('')
    Object.assign(git.state, { commit: 'd'.repeat(40) })
    expect((await made.head()).message).toBe('of git')
  })

  test('reads each file where it is', async () => {
    const { made } = both()
    const files = ['cluster://agents/default/a.yaml', 'cluster/agents/a.yaml'].map((path) => ({
      path,
      oid: 'o',
      mode: '100644',
    }))
    const found = new Map<string, string>()
    for await (const { file, bytes } of made.read(files, { maxBytes: 9 }))
      found.set(file.path, new TextDecoder().decode(bytes ?? new Uint8Array()))
    expect(Object.fromEntries(found)).toEqual({ [files[0]!.path]: 'cluster', [files[1]!.path]: 'git' })
  })

  test('goes on from a commit whatever the cluster did', async () => {
    const { made } = both()
    const at = (commit: string, digest: string) => `${commit.repeat(40)}+${DIGEST(digest)}`
    expect(await made.descends!(at('a', 'b'), at('a', 'a'))).toBe(true)
    expect(await made.descends!(at('b', 'a'), at('a', 'a'))).toBe(false)
    expect(await made.descends!(DIGEST('a'), at('a', 'a'))).toBe(true)
  })
})
