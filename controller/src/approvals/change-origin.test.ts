import { describe, expect, test } from 'vitest'
import { originOf } from './change-origin.ts'
import { landedApproval, type MergesApprove } from './landed-approval.ts'
import type { HistoryCommit, HistoryRepository } from './ports.ts'

/** A history as `id: parents, author, content of the file`; the tree of a commit is its own id. */
type History = Readonly<
  Record<string, readonly [parents: string[], author: string, content: string, committer?: string]>
>

function repositoryOf(history: History): HistoryRepository {
  const person = (name: string) => ({ name, email: `${name}@x.org`, time: '2026-01-01T00:00:00.000Z' })
  const commitOf = (oid: string): HistoryCommit => {
    const [parents, author, , committer = author] = history[oid]!
    return { oid, tree: oid, parents, author: person(author), committer: person(committer) }
  }
  const reachable = (from: string): Set<string> =>
    new Set([from, ...history[from]![0].flatMap((parent) => [...reachable(parent)])])
  return {
    commit: async (oid) => commitOf(oid),
    entry: async (tree) => (history[tree]![2] === '' ? null : { oid: history[tree]![2] }),
    log: async (from, to) => {
      const known = from === null ? new Set<string>() : reachable(from)
      return [...reachable(to)].filter((oid) => !known.has(oid)).map(commitOf)
    },
  }
}

const HISTORY: History = {
  base: [[], 'ada', 'v1'],
  other: [['base'], 'ada', 'v1'],
  one: [['other'], 'bob', 'v2'],
  two: [['one'], 'eve', 'v3'],
  side: [['other'], 'agent', 'v4'],
  more: [['side'], 'helper', 'v4'],
  merge: [['other', 'more'], 'cy', 'v4'],
  evil: [['one', 'more'], 'cy', 'v9'],
  squash: [['other'], 'agent', 'v4', 'cy'],
  gone: [['two'], 'dan', ''],
}
const repository = repositoryOf(HISTORY)
const origin = async (since: string | null, head: string) => {
  const { authors, landings } = await originOf(repository, ['a.yaml'], since, head)
  return { authors: [...new Set(authors.map(({ name }) => name))].sort(), landings: landings.map(({ oid }) => oid) }
}

describe('where a change comes from', () => {
  test.each([
    ['a push', 'other', 'one', ['bob'], ['one']],
    ['two pushes', 'base', 'two', ['bob', 'eve'], ['two', 'one']],
    ['a merge: who wrote it, not who merged it', 'other', 'merge', ['agent'], ['merge']],
    ['a merge that says something else besides', 'other', 'evil', ['agent', 'bob', 'cy'], ['evil', 'one']],
    ['a squash', 'other', 'squash', ['agent'], ['squash']],
    ['a removal', 'two', 'gone', ['dan'], ['gone']],
    ['the beginning', null, 'base', ['ada'], ['base']],
    ['nothing', 'base', 'other', [], []],
  ])('is told of %s', async (_what, since, head, authors, landings) => {
    expect(await origin(since, head)).toEqual({ authors, landings })
  })
})

describe('whose word the commits are that landed a change', () => {
  const landed = async (since: string, head: string, mode: MergesApprove, signed: string[] = []) => {
    const { landings } = await originOf(repository, ['a.yaml'], since, head)
    const found = await landedApproval(landings, mode, {
      signer: async ({ oid, committer }) => (signed.includes(oid) ? `user:${committer.name}` : null),
      committer: ({ committer }) => `git:${committer.name}`,
    })
    return found === null ? null : `${found.principal} ${found.source}`
  }

  test('is that of whoever merged, signed or as configured', async () => {
    expect(await landed('other', 'merge', 'any')).toBe('git:cy merge')
    expect(await landed('other', 'squash', 'any')).toBe('git:cy commit')
    expect(await landed('other', 'merge', 'signed', ['merge'])).toBe('user:cy merge')
    expect(await landed('other', 'merge', 'signed')).toBeNull()
    expect(await landed('other', 'merge', 'none', ['merge'])).toBeNull()
  })

  test("is nobody's when several landed parts of it", async () => {
    expect(await landed('other', 'two', 'any')).toBeNull()
    expect(await landed('base', 'two', 'signed', ['two'])).toBeNull()
  })
})
