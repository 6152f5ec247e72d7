import { describe, expect, test } from 'vitest'
import type { Change } from '../plan/change-set.ts'
import { landsBy } from './auto-merge.ts'

const change = (more: Partial<Change> = {}): Change => ({
  ...{ kind: 'Agent', namespace: 'default', name: 'a', action: 'update', fields: [] },
  ...{ fromDigest: '1', toDigest: '2', file: 'agents/a.yaml' },
  verdict: { effect: 'allow', by: 'policy small, rule agents', autoMerge: true },
  ...more,
})
const FILES = ['agents/a.yaml']

describe('a proposal lands by itself', () => {
  test('when a rule says so of every change, and names it', () => {
    expect(landsBy([change(), change({ name: 'b' })], FILES)).toBe('policy small, rule agents')
  })

  test.each<[string, Change[], string[]]>([
    ['nothing changes', [], ['README.md']],
    ['no policy is about one of its changes', [change(), change({ verdict: { effect: 'allow', by: 'x' } })], FILES],
    ['one of its changes is held', [change({ action: 'blocked', held: 'update' })], FILES],
    ['one of its changes is blocked', [change(), change({ action: 'blocked' })], FILES],
    ['a file belongs to none of its changes', [change()], [...FILES, 'README.md']],
    ['it changes who owns what', [change()], [...FILES, 'CODEOWNERS']],
    ['it changes what is read', [change()], [...FILES, 'agents/.statewardignore']],
    ...['Policy', 'Principal', 'Budget', 'Environment', 'Source', 'SecretStore', 'Approval'].map(
      (kind): [string, Change[], string[]] => [`it changes a ${kind}`, [change({ kind })], FILES],
    ),
  ])('never when %s', (_, changes, files) => {
    expect(landsBy(changes, files)).toBeNull()
  })
})
