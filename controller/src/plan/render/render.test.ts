import { describe, expect, test } from 'vitest'
import { agent, type Files, manifest, planFromTo } from '../../../test/support/state-files.ts'
import { keyOf } from '../../kinds/resource.ts'
import { governed } from '../approvals/hold.ts'
import type { ChangeVerdict } from '../approvals/requirement.ts'
import type { ChangeSet } from '../change-set.ts'
import { renderMarkdown, summaryLine } from './markdown.ts'
import { type Paint, renderTerminal } from './terminal.ts'
import { printable, valueText } from './value-text.ts'

const asIs = (text: string) => text
const PLAIN: Paint = { green: asIs, yellow: asIs, red: asIs, dim: asIs, bold: asIs }
const TAGS: Paint = {
  green: (text) => `<g>${text}</g>`,
  yellow: (text) => `<y>${text}</y>`,
  red: (text) => `<r>${text}</r>`,
  dim: (text) => `<d>${text}</d>`,
  bold: (text) => `<b>${text}</b>`,
}
const golden = (name: string) => new URL(`../../../test/golden/plan/${name}`, import.meta.url).pathname

const many = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`hosts/h${i}.yaml`, manifest('Host', `h${i}`)]))
const template = (spec: object) =>
  manifest('AgentTemplate', 'engineer', { runtime: { process: { command: ['node', 'x.js'] } }, ...spec })

const CASES: Readonly<Record<string, () => ChangeSet>> = {
  nothing: () => planFromTo({}, {}),
  unchanged: () => planFromTo({ 'a.yaml': agent('a') }, { 'a.yaml': agent('a') }),
  mixed: () =>
    planFromTo(
      {
        'sre.yaml': agent('sre', { replicas: 1, description: 'Watches alerts.', capabilities: ['linux'] }),
        'docs.yaml': manifest('Agent', 'docs', { templateRef: { name: 'engineer' } }),
        'template.yaml': template({}),
        'old.yaml': agent('old'),
        'kept.yaml': agent('kept', {}, { annotations: { 'stateward.dev/prune': 'disabled' } }),
        'same.yaml': agent('same'),
      },
      {
        'sre.yaml': agent(
          'sre',
          {
            replicas: 2,
            description: `Watches alerts, proposes fixes ${'and waits '.repeat(9)}for a person.`,
            restartPolicy: 'OnFailure',
          },
          { labels: { team: 'platform' } },
        ),
        'docs.yaml': manifest('Agent', 'docs', { templateRef: { name: 'engineer' } }),
        'template.yaml': template({ restartPolicy: 'Never' }),
        'same.yaml': agent('same'),
        'new.yaml': agent('new'),
        'budget.yaml': manifest('Budget', 'monthly', {
          scopeRef: { kind: 'Environment', name: 'default' },
          maxUsd: 25,
          window: 'month',
          action: 'Pause',
        }),
        'bad.yaml': agent('bad', { replics: 2, parentRef: { name: 'gone' } }),
        'lost.yaml': agent('lost', { parentRef: { name: 'gone' } }),
        'chart/values.yaml': 'image: x\n',
      },
    ),
  'too-many-deletions': () => planFromTo(many, { 'hosts/h9.yaml': manifest('Host', 'h9') }),
  governed: () => {
    const made = planFromTo(
      { 'a.yaml': agent('a'), 'b.yaml': agent('b'), 'c.yaml': agent('c'), 'd.yaml': agent('d') },
      {
        'a.yaml': agent('a', { replicas: 2 }),
        'b.yaml': agent('b', { replicas: 2 }),
        'c.yaml': agent('c', { replicas: 2 }),
        'd.yaml': agent('d', { replicas: 2 }),
      },
    )
    const owners: ChangeVerdict = {
      ...{ effect: 'require_approval', by: 'policy tools, rule owners', reason: '', advisory: [] },
      requirements: [
        {
          ...{ min: 1, fromAnyOf: ['role:owner-admin'] },
          askedBy: { kind: 'policy', namespace: 'default', name: 'tools', version: 1, rule: 'owners' },
        },
      ],
    }
    const rest = { reason: '', requirements: [], advisory: ['policy new only records: it would deny it (no)'] }
    const verdicts: Record<string, ChangeVerdict> = {
      ...{ a: owners, b: owners },
      c: { ...rest, effect: 'allow', by: 'policy tools, rule rest' },
      d: { ...rest, effect: 'deny', by: 'policy tools, rule never', reason: 'policy tools, rule never: not here' },
    }
    const bob = { principal: 'user:bob', roles: ['owner-admin'], teams: [], source: 'api', at: '' }
    return governed(
      made,
      { risk: 'low', effects: [] },
      {
        verdictFor: ({ name }) => verdicts[name]!,
        lineageOf: () => ({ authors: ['user:ada'], members: [], parents: [] }),
        decisionsOf(key) {
          const change = made.changes.find((one) => keyOf(one) === key)!
          const { fromDigest, toDigest } = change
          return change.name === 'b' ? [{ ...bob, decision: 'approve', fromDigest, toDigest }] : []
        },
      },
    )
  },
  hostile: () =>
    planFromTo({ 'a.yaml': agent('a', { description: 'plain' }) }, {
      'a.yaml': agent('a', { description: '\u001b[2J\u202e```\n| <script>' }),
      'b|`<b>`.yaml': agent('b').replace('runtime:', '"\\e[31m| <i>":'),
    } satisfies Files),
}

describe.each(Object.keys(CASES))('the plan of %s', (name) => {
  test('on a terminal', async () => {
    const text = renderTerminal(CASES[name]!(), PLAIN)
    await expect(text).toMatchFileSnapshot(golden(`${name}.txt`))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is there is what is tested
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  })

  test('in a pull request', async () => {
    await expect(renderMarkdown(CASES[name]!(), null)).toMatchFileSnapshot(golden(`${name}.md`))
  })
})

test('lines about objects and fields fit into 80 columns', () => {
  const { changes, counts } = CASES['mixed']!()
  const text = renderTerminal({ ...CASES['nothing']!(), changes, counts }, PLAIN)
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
})

test('colours follow what happens', async () => {
  await expect(renderTerminal(CASES['mixed']!(), TAGS)).toMatchFileSnapshot(golden('mixed-painted.txt'))
})

test('a pull request shows at most 100 changes and says how many more there are', () => {
  const set = planFromTo({}, Object.fromEntries(Array.from({ length: 103 }, (_, i) => [`${i}.yaml`, agent(`a${i}`)])))
  const text = renderMarkdown(set, 'abcdef0123456789')
  expect(text.match(/^\+ create/gm)).toHaveLength(100)
  expect(text).toContain('… and 3 more changes')
  expect(text).toContain('observed: `abcdef012345`')
})

test('a pull request shows at most 100 problems and says how many more there are', () => {
  const set = planFromTo(
    {},
    Object.fromEntries(Array.from({ length: 103 }, (_, i) => [`${i}.yaml`, agent(`a${i}`, { replicas: 'x' })])),
  )
  const text = renderMarkdown(set, null)
  expect(text.match(/^\| error/gm)).toHaveLength(100)
  expect(text).toContain('… and 3 more problems')
})

test('the counts are told in one order, zeros left out', () => {
  const counts = { create: 0, update: 2, unchanged: 7, delete: 1, skip: 0, blocked: 1 }
  expect(summaryLine({ counts })).toBe('2 update, 7 unchanged, 1 delete, 1 blocked')
  expect(summaryLine({ counts: { ...counts, update: 0, unchanged: 0, delete: 0, blocked: 0 } })).toBe(
    'nothing is declared',
  )
})

test('a value is one line of limited length that no terminal obeys', () => {
  expect(valueText({ a: [1, 'x'] }, 40)).toBe('{"a":[1,"x"]}')
  expect(valueText('x'.repeat(50), 10)).toBe(`"${'x'.repeat(8)}…`)
  expect(valueText(undefined, 10)).toBe('')
  expect(valueText(`xxx${'😀'.repeat(9)}`, 8).isWellFormed()).toBe(true)
  expect(printable('a\u001b[31m\u009b\u202eb\n')).toBe('a\\u001b[31m\\u009b\\u202eb\\u000a')
})
