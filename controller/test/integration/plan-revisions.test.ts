import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PARSE_OPTIONS, pointerInFile } from '../../src/build/parse-options.ts'
import { keyOf } from '../../src/kinds/resource.ts'
import { DEFAULT_DELETION_LIMIT } from '../../src/plan/blast-radius.ts'
import type { Observed } from '../../src/reconcile/sync/observed.ts'
import { type PlanWithEffects, planRevisions } from '../../src/reconcile/sync/plan-revisions.ts'
import { type GitSource, openGitSource } from '../../src/source/git/git-source.ts'
import { builtinToolRisk, builtinToolSchema } from '../../src/tools/builtins.ts'
import { bareRepository, commitFiles, scratchFolder } from '../support/git-remote.ts'
import { agent, manifest } from '../support/state-files.ts'

type Files = Readonly<Record<string, string | null>>

const asIs = (text: string) => text
const scratch = scratchFolder()
const repository = bareRepository(join(scratch.path, 'state.git'))
let source: GitSource
let made = 0

beforeAll(async () => {
  source = await openGitSource({
    ...{ name: 'state', repo: repository, ref: 'main', intervalMs: 60_000, mirrorDir: '' },
    log: { info: asIs, warn: asIs, error: asIs } as never,
  })
})
afterAll(async () => {
  await source.close()
  scratch.remove()
})

async function commit(files: Files, parent: string | null = null) {
  const oid = commitFiles(repository, files, { ref: `refs/heads/case-${++made}`, parent })
  const { tree, message, author } = await source.repository.commit(oid)
  return { commit: oid, tree, message, author }
}

/** The same change, looked at as far as it goes, and with everything. */
async function bothPlans(before: Files, change: Files, observed: Observed | null = null) {
  const from = await commit(before)
  const to = await commit(change, from.commit)
  const options = {
    ...{ parse: PARSE_OPTIONS, pointerInFile, deletionLimit: DEFAULT_DELETION_LIMIT },
    ...{ builtinToolSchema, builtinToolRisk },
  }
  return {
    near: await planRevisions(source, from, to, observed, options),
    whole: await planRevisions(source, from, to, observed, { ...options, everything: true }),
  }
}

const SHOWN = ['changes', 'counts', 'digest', 'risk', 'effects', 'newIssues', 'moved', 'blockedDeletions'] as const
const shownOf = (plan: PlanWithEffects) => Object.fromEntries(SHOWN.map((field) => [field, plan[field]]))

const template = (spec: object) => manifest('AgentTemplate', 't', spec)
const PROCESS = { runtime: { process: { command: ['node', 'a.js'], workdir: 'agents/a' } } }
const fix = (spec: object = {}) =>
  manifest('Blueprint', 'fix', {
    triggers: [{ event: 'alert' }],
    plan: [{ id: 'look', kind: 'agent_task', agent: 'inherits', prompt: 'Look.' }],
    ...spec,
  })
const STATE = {
  'agents/a.yaml': agent('a', PROCESS),
  'agents/a/a.js': 'run()\n',
  'agents/b.yaml': `${agent('b', { agentId: '001' })}---\n${agent('c', { dependsOn: [{ kind: 'Agent', name: 'a' }] })}`,
  'template.yaml': template({ runtime: { process: { command: ['node', 't.js'] } } }),
  'inherits.yaml': manifest('Agent', 'inherits', { templateRef: { name: 't' } }),
  'environment.yaml': manifest('Environment', 'default', { stage: 'dev' }),
  'fix.yaml': fix(),
  'host.yaml': manifest('Host', 'h', { labels: { zone: 'a' } }),
  'tool.yaml': manifest('Tool', 'deploy', { executor: { command: { command: ['deploy'] } }, risk: 'high' }),
  'foreign.yaml': 'kind: Service\napiVersion: v1\n',
}
const CASES: Readonly<Record<string, Files>> = {
  'a field of one object': { 'agents/a.yaml': agent('a', { ...PROCESS, replicas: 3 }) },
  'a template, with what inherits from it': { 'template.yaml': template({ runtime: { process: { command: ['x'] } } }) },
  'an environment, with everything in it': {
    'environment.yaml': manifest('Environment', 'default', {
      overrides: [{ target: { kind: 'Agent' }, patch: { replicas: 2 } }],
    }),
  },
  'a file of a program': { 'agents/a/a.js': 'run(2)\n' },
  'an object that others need, which goes': { 'agents/a.yaml': null },
  'an object that names what is not there': { 'new.yaml': agent('n', { parentRef: { name: 'gone' } }) },
  'an object that is there already': { 'z.yaml': agent('b') },
  'documents that move': { 'moved.yaml': STATE['agents/b.yaml'], 'agents/b.yaml': null },
  'a broken document beside a good one': { 'agents/b.yaml': `${agent('b', { replics: 2 })}---\n${agent('c')}` },
  'a file that cannot be read': { 'agents/b.yaml': 'kind: [\napiVersion: stateward.dev/v1alpha1' },
  'a plan that calls a tool of the state': {
    'fix.yaml': fix({ plan: [{ id: 'go', kind: 'action_task', action: 'deploy', with: {} }] }),
  },
  'a circle': {
    'agents/a.yaml': agent('a', { dependsOn: [{ kind: 'Agent', name: 'c' }] }),
  },
  'a file that is ignored from now on': { '.statewardignore': 'agents/\n' },
  'a secret in a program': { 'agents/a/key.js': `const key = '${['AKIA', 'IOSFODNN7', 'QRSTUVW'].join('')}'\n` },
  nothing: { 'README.md': 'hello\n' },
}

describe('a plan of what differs', () => {
  test.each(Object.keys(CASES))('says of %s what a plan of everything says', async (name) => {
    const { near, whole } = await bothPlans(STATE, CASES[name]!)
    expect(shownOf(near)).toEqual(shownOf(whole))
  })

  test('says nothing of what is wrong elsewhere, which a plan of everything does', async () => {
    const broken = { ...STATE, 'broken.yaml': agent('broken', { replics: 2 }) }
    const { near, whole } = await bothPlans(broken, CASES['a field of one object']!)
    expect(whole.changes.map(keyOf)).toEqual(['Agent/default/a', 'Agent/default/broken'])
    expect(near.changes.map(keyOf)).toEqual(['Agent/default/a'])
    expect(near.newIssues).toEqual(whole.newIssues)
  })

  test('tells an id that another object has of the one that comes', async () => {
    const { near, whole } = await bothPlans(STATE, { 'new.yaml': agent('n', { agentId: '001' }) })
    expect(near.changes).toEqual(whole.changes)
    expect(near.newIssues).toEqual(whole.newIssues.filter(({ object }) => object === 'Agent/default/n'))
  })

  test('a reference to something that is broken elsewhere is no good one', async () => {
    const broken = { ...STATE, 'broken.yaml': agent('broken', { replics: 2 }) }
    const change = { 'new.yaml': agent('n', { parentRef: { name: 'broken' } }) }
    const { near, whole } = await bothPlans(broken, change)
    expect(near.newIssues.map(({ code }) => code)).toContain('SW_REFERENCE_BROKEN')
    expect(near.newIssues).toEqual(whole.newIssues)
  })

  test('holds what is not applied yet against what is', async () => {
    const observed: Observed = {
      statuses: async () => new Map([['Agent/default/inherits', { effectiveDigest: 'f'.repeat(64) }]]),
      unsettled: async () => ['Agent/default/inherits'],
    }
    const { near, whole } = await bothPlans(STATE, CASES['a field of one object']!, observed)
    expect(near.changes.map(keyOf)).toEqual(['Agent/default/a', 'Agent/default/inherits'])
    expect(shownOf(near)).toEqual(shownOf(whole))
  })

  test('finds who names what through any chain, however the names are written', async () => {
    const chain = (i: number, spec: object = {}) =>
      agent(`link-${i}`, i === 0 ? spec : { dependsOn: [{ kind: 'Agent', name: `link-${i - 1}` }] })
    const files = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`chain/${i}.yaml`, chain(i)]))
    const odd = agent('odd', { dependsOn: [{ kind: 'Agent', name: 'link-0' }] }).replace('"link-0"', '"link\\u002d0"')
    const state = { ...STATE, ...files, 'odd.yaml': odd }
    const { near, whole } = await bothPlans(state, { 'chain/0.yaml': null })
    expect(near.changes.length).toBeGreaterThan(0)
    expect(shownOf(near)).toEqual(shownOf(whole))
    expect(near.issues.map(({ object }) => object)).toContain('Agent/default/odd')
  })

  test('comes to the same for any change of a sound state', async () => {
    const file = fc.constantFrom(...Object.keys(STATE))
    const text = fc.constantFrom(null, ...Object.values(STATE), agent('a', { replicas: 2 }), agent('x'))
    await fc.assert(
      fc.asyncProperty(fc.dictionary(file, text, { minKeys: 1, maxKeys: 3 }), async (change) => {
        const { near, whole } = await bothPlans(STATE, { 'README.md': String(made), ...change })
        expect(shownOf(near)).toEqual(shownOf(whole))
      }),
      { numRuns: 25 },
    )
  })
})
