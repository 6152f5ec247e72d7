import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  agent,
  appliedFiles,
  apply,
  codesOf,
  desiredState,
  type Files,
  manifest,
  planFromTo,
  planOf,
  summaryOf,
} from '../../test/support/state-files.ts'
import { keyOf } from '../kinds/resource.ts'
import { ACTIONS } from './change-set.ts'
import { affectedBy } from './scope.ts'

const template = (spec: object = {}) =>
  manifest('AgentTemplate', 'engineer', { runtime: { process: { command: ['node', 'x.js'] } }, ...spec })
const inheriting = (name: string, spec: object = {}) =>
  manifest('Agent', name, { templateRef: { name: 'engineer' }, ...spec })
const asking = (name: string, who: string) =>
  manifest('Blueprint', name, { plan: [{ id: 'ask', kind: 'agent_task', agent: who, prompt: 'p' }] })
const actionsOf = (from: Files, to: Files) => summaryOf(planFromTo(from, to))

describe('what becomes of an object', () => {
  test('a new document is created, with the digest of what it comes to', () => {
    const made = planFromTo({}, { 'a.yaml': agent('a') })
    expect(made.changes).toMatchObject([
      {
        action: 'create',
        kind: 'Agent',
        namespace: 'default',
        name: 'a',
        file: 'a.yaml',
        fromDigest: null,
        fields: [],
      },
    ])
    expect(made.changes[0]!.toDigest).toBe(made.effective.get('Agent/default/a')!.digest)
  })

  test('a changed field is an update that names it', () => {
    const { changes } = planFromTo({ 'a.yaml': agent('a', { replicas: 1 }) }, { 'a.yaml': agent('a', { replicas: 2 }) })
    expect(changes).toMatchObject([
      { action: 'update', fields: [{ op: 'replace', pointer: '/spec/replicas', from: 1, to: 2 }] },
    ])
    expect(changes[0]!.fromDigest).not.toBe(changes[0]!.toDigest)
  })

  test('a changed label is an update too, and does not change what was decided', () => {
    const { changes } = planFromTo({ 'a.yaml': agent('a') }, { 'a.yaml': agent('a', {}, { labels: { team: 'x' } }) })
    expect(changes).toMatchObject([
      { action: 'update', fields: [{ op: 'add', pointer: '/metadata/labels/team', to: 'x' }] },
    ])
    expect(changes[0]!.fromDigest).toBe(changes[0]!.toDigest)
  })

  test('the same document is unchanged, in whatever order its keys stand and whatever its comments say', () => {
    const spec = { replicas: 2, restartPolicy: 'Never' }
    const turned = { restartPolicy: 'Never', replicas: 2 }
    const made = planFromTo({ 'a.yaml': agent('a', spec) }, { 'a.yaml': `# new words\n${agent('a', turned)}` })
    expect(made).toMatchObject({ changes: [], counts: { unchanged: 1 }, moved: ['Agent/default/a'] })
  })

  test('a moved file is unchanged: identity is not the path', () => {
    const made = planFromTo({ 'a.yaml': agent('a') }, { 'deep/er.yaml': [agent('b'), agent('a')].join('---\n') })
    expect(summaryOf(made)).toEqual(['create Agent/default/b'])
    expect(made.moved).toEqual(['Agent/default/a'])
  })

  test('another namespace is another object', () => {
    expect(actionsOf({ 'a.yaml': agent('a') }, { 'a.yaml': agent('a', {}, { namespace: 'prod' }) })).toEqual([
      'create Agent/prod/a',
      'delete Agent/default/a',
    ])
  })

  test('a removed document is deleted', () => {
    expect(actionsOf({ 'a.yaml': agent('a') }, {})).toEqual(['delete Agent/default/a'])
    expect(actionsOf({ 'x.yaml': [agent('a'), agent('b')].join('---\n') }, { 'x.yaml': agent('b') })).toEqual([
      'delete Agent/default/a',
    ])
  })

  test('a removed document whose object says prune: disabled is skipped', () => {
    const kept = agent('a', {}, { annotations: { 'stateward.dev/prune': 'disabled' } })
    const made = planFromTo({ 'a.yaml': kept }, {})
    expect(summaryOf(made)).toEqual(['skip Agent/default/a (Suspended)'])
    expect(made.pending.has('Agent/default/a')).toBe(true)
  })

  test('a change of a document that says reconcile: disabled is skipped and shown', () => {
    const made = planFromTo(
      { 'a.yaml': agent('a') },
      { 'a.yaml': agent('a', { replicas: 2 }, { annotations: { 'stateward.dev/reconcile': 'disabled' } }) },
    )
    expect(summaryOf(made)).toEqual(['skip Agent/default/a (Suspended)'])
    expect(made.changes[0]!.fields.map(({ pointer }) => pointer)).toContain('/spec/replicas')
  })

  test('an object that is still being removed is created again afterwards', () => {
    const actual = new Map(
      [...appliedFiles({ 'a.yaml': agent('a') })].map(([key, object]) => [key, { ...object, deleting: true }]),
    )
    const again = planOf(desiredState({ 'a.yaml': agent('a', { replicas: 2 }) }), { actual })
    expect(summaryOf(again)).toEqual(['skip Agent/default/a (Terminating)'])
    expect([...again.pending]).toEqual(['Agent/default/a'])
    expect(planOf(desiredState({}), { actual })).toMatchObject({ changes: [], counts: { unchanged: 0 } })
  })
})

describe('what a broken document does', () => {
  test('it keeps its last good revision, and everything else is applied', () => {
    const made = planFromTo(
      { 'a.yaml': agent('a'), 'b.yaml': agent('b') },
      { 'a.yaml': agent('a', { replicas: 'many' }), 'b.yaml': agent('b', { replicas: 2 }), 'c.yaml': agent('c') },
    )
    expect(summaryOf(made).sort()).toEqual([
      'blocked Agent/default/a (ValidationFailed)',
      'create Agent/default/c',
      'update Agent/default/b',
    ])
    const [blocked] = made.changes.filter(({ action }) => action === 'blocked')
    expect(blocked).toMatchObject({ file: 'a.yaml' })
    expect(blocked!.toDigest).toBe(blocked!.fromDigest)
  })

  test('one that was never applied is blocked as well', () => {
    expect(actionsOf({}, { 'a.yaml': agent('a', { replicas: 'many' }) })).toEqual([
      'blocked Agent/default/a (ValidationFailed)',
    ])
  })

  test('a file that cannot be read deletes nothing it held', () => {
    const before = { 'x.yaml': [agent('a'), agent('b')].join('---\n'), 'c.yaml': agent('c') }
    expect(
      actionsOf(before, { 'x.yaml': 'apiVersion: stateward.dev/v1alpha1\n\tbad\n', 'c.yaml': agent('c') }),
    ).toEqual(['blocked Agent/default/a (ValidationFailed)', 'blocked Agent/default/b (ValidationFailed)'])
  })

  test('an object that may have moved into a file that cannot be read is not deleted', () => {
    const broken = `${agent('a')}  oops: [\n`
    expect(actionsOf({ 'a.yaml': agent('a') }, { 'moved.yaml': broken })).toEqual([
      'blocked Agent/default/a (ValidationFailed)',
    ])
    expect(
      actionsOf({ 'x.yaml': [agent('a'), agent('b')].join('---\n') }, { 'x.yaml': agent('b'), 'moved.yaml': broken }),
    ).toEqual(['blocked Agent/default/a (ValidationFailed)'])
    expect(actionsOf({ 'a.yaml': agent('a') }, { 'moved.yaml': [agent('b'), broken].join('---\n') })).toEqual([
      'blocked Agent/default/a (ValidationFailed)',
      'create Agent/default/b',
    ])
  })

  test('an object that a broken file does not mention is deleted as asked', () => {
    expect(actionsOf({ 'a.yaml': agent('a') }, { 'other.yaml': `${agent('b')}  oops: [\n` })).toEqual([
      'delete Agent/default/a',
    ])
  })

  test('an object declared twice is blocked, wherever the documents stand, and both are told', () => {
    const made = planFromTo({ 'a.yaml': agent('a') }, { 'a.yaml': agent('a'), 'b.yaml': agent('a', { replicas: 2 }) })
    expect(summaryOf(made)).toEqual(['blocked Agent/default/a (ValidationFailed)'])
    expect(made.issues.map(({ code, file, message }) => [code, file, message])).toEqual([
      ['SW_DUPLICATE_OBJECT', 'a.yaml', 'Agent/default/a is also declared in b.yaml'],
      ['SW_DUPLICATE_OBJECT', 'b.yaml', 'Agent/default/a is also declared in a.yaml'],
    ])
    const inOne = planFromTo({}, { 'x.yaml': [agent('a'), agent('a')].join('---\n') })
    expect(inOne.issues.map(({ document }) => document)).toEqual([0, 1])
  })

  test('two agents with one agentId are both blocked, but what is applied stays', () => {
    const fresh = planFromTo({}, { 'a.yaml': agent('a', { agentId: '001' }), 'b.yaml': agent('b', { agentId: '001' }) })
    expect(summaryOf(fresh)).toEqual([
      'blocked Agent/default/a (ValidationFailed)',
      'blocked Agent/default/b (ValidationFailed)',
    ])
    expect(codesOf(fresh)).toEqual(['SW_DUPLICATE_OBJECT', 'SW_DUPLICATE_OBJECT'])
    const second = planFromTo(
      { 'a.yaml': agent('a', { agentId: '001' }) },
      { 'a.yaml': agent('a', { agentId: '001' }), 'b.yaml': agent('b', { agentId: '001' }) },
    )
    expect(summaryOf(second)).toEqual(['blocked Agent/default/b (ValidationFailed)'])
  })

  test("an address or a key of one person is no other person's", () => {
    const person = (name: string, spec: object) => manifest('Principal', name, spec)
    const key = `ssh-ed25519 ${'A'.repeat(68)}`
    const made = planFromTo(
      {},
      {
        'a.yaml': person('a', { emails: ['a@x.org'], signingKeys: [`${key} a`] }),
        'b.yaml': person('b', { emails: ['b@x.org', 'A@X.org'] }),
        'c.yaml': person('c', { signingKeys: [`${key} c`] }),
        'd.yaml': person('d', { emails: ['d@x.org'] }),
      },
    )
    expect(made.counts).toMatchObject({ blocked: 3, create: 1 })
    expect(made.issues.map(({ message }) => message.split(' is also')[0])).toContain('emails "a@x.org"')
  })

  test('an event is declared once', () => {
    const type = (name: string, event: string) => manifest('EventType', name, { event, dataSchema: {} })
    const files = { 'a.yaml': type('a', 'their.thing'), 'b.yaml': type('b', 'their.other') }
    expect(codesOf(planFromTo({}, files))).toEqual([])
    expect(summaryOf(planFromTo(files, { ...files, 'c.yaml': type('c', 'their.thing') }))).toEqual([
      'blocked EventType/c (ValidationFailed)',
    ])
  })
})

describe('references', () => {
  test('a missing one blocks what names it, and tells where', () => {
    const made = planFromTo({}, { 'a.yaml': agent('a', { parentRef: { name: 'boss' } }) })
    expect(summaryOf(made)).toEqual(['blocked Agent/default/a (ValidationFailed)'])
    expect(made.issues).toMatchObject([
      {
        code: 'SW_REFERENCE_NOT_FOUND',
        pointer: '/spec/parentRef/name',
        object: 'Agent/default/a',
        message: 'Agent boss does not exist in namespace default',
      },
    ])
  })

  test('a broken one breaks the whole chain that needs it', () => {
    const made = planFromTo(
      {},
      {
        'a.yaml': agent('a', { parentRef: { name: 'b' } }),
        'b.yaml': agent('b', { parentRef: { name: 'c' } }),
        'c.yaml': agent('c', { replicas: 'x' }),
        'd.yaml': agent('d'),
      },
    )
    expect(summaryOf(made)).toEqual([
      'blocked Agent/default/c (ValidationFailed)',
      'create Agent/default/d',
      'blocked Agent/default/b (ValidationFailed)',
      'blocked Agent/default/a (ValidationFailed)',
    ])
    expect(codesOf(made).filter((code) => code === 'SW_REFERENCE_BROKEN')).toHaveLength(2)
  })

  test('a broken one that was applied before is good enough', () => {
    const before = { 'b.yaml': agent('b') }
    expect(
      actionsOf(before, {
        'a.yaml': agent('a', { parentRef: { name: 'b' } }),
        'b.yaml': agent('b', { replicas: 'x' }),
      }),
    ).toEqual(['blocked Agent/default/b (ValidationFailed)', 'create Agent/default/a'])
  })

  test('git wins over references: the deletion happens, who names it stays and is warned', () => {
    const before = { 'a.yaml': agent('a', { parentRef: { name: 'b' } }), 'b.yaml': agent('b') }
    const made = planFromTo(before, { 'a.yaml': before['a.yaml'] })
    expect(summaryOf(made)).toEqual(['delete Agent/default/b'])
    expect(made.issues).toMatchObject([
      { code: 'SW_REFERENCE_NOT_FOUND', severity: 'warning', object: 'Agent/default/a' },
    ])
  })

  test('a cycle blocks everything on it and what depends on it', () => {
    const files = {
      'a.yaml': agent('a', { parentRef: { name: 'b' } }),
      'b.yaml': agent('b', { parentRef: { name: 'c' } }),
      'c.yaml': agent('c', { dependsOn: [{ kind: 'Agent', name: 'a' }] }),
      'd.yaml': agent('d', { parentRef: { name: 'a' } }),
      'free.yaml': agent('free'),
    }
    const made = planFromTo({}, files)
    expect(summaryOf(made).sort()).toEqual([
      'blocked Agent/default/a (DependencyCycle)',
      'blocked Agent/default/b (DependencyCycle)',
      'blocked Agent/default/c (DependencyCycle)',
      'blocked Agent/default/d (ValidationFailed)',
      'create Agent/default/free',
    ])
    const cycle = made.issues.filter(({ code }) => code === 'SW_DEPENDENCY_CYCLE')
    expect(cycle.map(({ object, pointer }) => [object, pointer])).toEqual([
      ['Agent/default/a', '/spec/parentRef/name'],
      ['Agent/default/b', '/spec/parentRef/name'],
      ['Agent/default/c', '/spec/dependsOn/0'],
    ])
    expect(cycle[0]!.message).toBe(
      'it depends on itself: Agent/default/a → Agent/default/b → Agent/default/c → Agent/default/a',
    )
    expect(codesOf(made).filter((code) => code === 'SW_REFERENCE_BROKEN')).toEqual(['SW_REFERENCE_BROKEN'])
  })

  test('an agent that is its own parent is a cycle', () => {
    const made = planFromTo({}, { 'a.yaml': agent('a', { parentRef: { name: 'a' } }) })
    expect(summaryOf(made)).toEqual(['blocked Agent/default/a (DependencyCycle)'])
    expect(codesOf(made)).toEqual(['SW_DEPENDENCY_CYCLE'])
  })

  test('what depends on an agent with a doubled agentId waits with it', () => {
    const made = planFromTo(
      {},
      {
        'a.yaml': agent('a', { agentId: '001' }),
        'b.yaml': agent('b', { agentId: '001' }),
        'c.yaml': agent('c', { parentRef: { name: 'a' } }),
      },
    )
    expect(made.counts).toMatchObject({ blocked: 3, create: 0 })
  })

  test('chains and circles of any length are planned', () => {
    const chain = (length: number, first: object) =>
      Object.fromEntries(
        Array.from({ length }, (_, i) => [
          `${i}.yaml`,
          agent(`a${i}`, i === 0 ? first : { parentRef: { name: `a${i - 1}` } }),
        ]),
      )
    expect(planOf(desiredState(chain(2_500, {}))).counts.create).toBe(2_500)
    const broken = planOf(desiredState(chain(2_500, { parentRef: { name: 'gone' } })))
    expect(broken.counts.blocked).toBe(2_500)
    const circle = planOf(desiredState(chain(2_500, { parentRef: { name: 'a2499' } })))
    expect(circle.counts.blocked).toBe(2_500)
    expect(circle.issues.every(({ message }) => message.length < 400)).toBe(true)
  }, 30_000)
})

describe('what an object inherits', () => {
  const runtime = { runtime: { process: { command: ['node', 'main.js'], workdir: 'agents/a' } } }

  test('an edit of a template updates its agents and says so', () => {
    const before = { 't.yaml': template(), 'a.yaml': inheriting('a'), 'b.yaml': agent('b') }
    const made = planFromTo(before, { ...before, 't.yaml': template({ restartPolicy: 'Never' }) })
    expect(summaryOf(made)).toEqual([
      'update AgentTemplate/default/engineer',
      'update Agent/default/a (cause: AgentTemplate/default/engineer)',
    ])
    expect(made.changes[1]!.fields).toEqual([])
  })

  test('an edit of the object itself is not blamed on its template', () => {
    const before = { 't.yaml': template(), 'a.yaml': inheriting('a') }
    expect(actionsOf(before, { ...before, 'a.yaml': inheriting('a', { replicas: 2 }) })).toEqual([
      'update Agent/default/a',
    ])
    expect(
      actionsOf(before, {
        ...before,
        'a.yaml': inheriting('a').replace('"name":"a"', '"name":"a","labels":{"x":"y"}'),
      }),
    ).toEqual(['update Agent/default/a'])
  })

  test('a template that breaks blocks itself; its agents keep what they have', () => {
    const before = { 't.yaml': template(), 'a.yaml': inheriting('a') }
    const made = planFromTo(before, { ...before, 't.yaml': template({ restartPolicy: 'Sometimes' }) })
    expect(made.counts).toMatchObject({ blocked: expect.any(Number), delete: 0, update: 0 })
    expect(summaryOf(made)).toContain('blocked AgentTemplate/default/engineer (ValidationFailed)')
  })

  test('an agent that its template does not complete is blocked', () => {
    const made = planFromTo(
      {},
      { 't.yaml': manifest('AgentTemplate', 'engineer', { restartPolicy: 'Never' }), 'a.yaml': inheriting('a') },
    )
    expect(summaryOf(made)).toEqual([
      'create AgentTemplate/default/engineer',
      'blocked Agent/default/a (ValidationFailed)',
    ])
  })

  test('an override of the environment updates the objects it reaches', () => {
    const before = { 'a.yaml': agent('a'), 'b.yaml': agent('b') }
    const environment = manifest('Environment', 'default', {
      overrides: [{ target: { kind: 'Agent', name: 'a' }, patch: { replicas: 3 } }],
    })
    expect(actionsOf(before, { ...before, 'e.yaml': environment })).toEqual([
      'update Agent/default/a (cause: Environment/default)',
      'create Environment/default',
    ])
    expect(actionsOf({ ...before, 'e.yaml': environment }, before)).toEqual([
      'update Agent/default/a',
      'delete Environment/default',
    ])
  })

  test('an override may name files', () => {
    const files = {
      'a.yaml': agent('a'),
      'e.yaml': manifest('Environment', 'default', { overrides: [{ target: { kind: 'Agent' }, patch: runtime }] }),
    }
    expect(planOf(desiredState(files), { repoFiles: { 'agents/a': '1' } })).toMatchObject({
      counts: { create: 2 },
      issues: [],
    })
  })

  test('a commit that changes only a file below its workdir updates exactly the agents that use it', () => {
    const files = { 'a.yaml': manifest('Agent', 'a', runtime), 'b.yaml': agent('b') }
    const actual = appliedFiles(files, { repoFiles: { 'agents/a': '1' } })
    expect(summaryOf(planOf(desiredState(files), { actual, repoFiles: { 'agents/a': '2' } }))).toEqual([
      'update Agent/default/a (cause: agents/a)',
    ])
    const { changes, issues } = planOf(desiredState(files), { actual })
    expect(changes).toMatchObject([{ action: 'blocked', name: 'a' }])
    expect(issues).toMatchObject([{ code: 'SW_FILE_NOT_FOUND', pointer: '/spec/runtime/process/workdir' }])
  })
})

describe('deletions', () => {
  const many = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`a${i}.yaml`, agent(`a${i}`)]))

  test('over the limit are blocked, while the rest of the commit goes on', () => {
    const made = planFromTo(many, { 'new.yaml': agent('new') })
    expect(made.counts).toMatchObject({ create: 1, delete: 0, blocked: 10 })
    expect(made.blockedDeletions).toMatch(/^[0-9a-f]{64}$/)
    expect(made.changes.find(({ action }) => action === 'blocked')).toMatchObject({
      reason: 'BlastRadius',
      message: expect.stringContaining('stateward approve deletions 111111111111'),
    })
  })

  test('an approval of exactly this set lets it through', () => {
    const actual = appliedFiles(many)
    const { blockedDeletions } = planOf(desiredState({}), { actual })
    const approved = new Set([blockedDeletions!])
    expect(planOf(desiredState({}), { actual, deletions: { recent: new Map(), approved } }).counts.delete).toBe(10)
    expect(
      planOf(desiredState({ 'new.yaml': agent('new') }), { actual, deletions: { recent: new Map(), approved } }).counts
        .delete,
    ).toBe(10)
    expect(
      planOf(desiredState({ 'a0.yaml': agent('a0') }), { actual, deletions: { recent: new Map(), approved } }).counts,
    ).toMatchObject({ delete: 0, blocked: 9 })
  })

  test('split over several commits count together', () => {
    const actual = appliedFiles(many)
    const half = Object.fromEntries(Object.entries(many).slice(5))
    expect(planOf(desiredState(half), { actual }).counts.delete).toBe(5)
    const left = new Map([...actual].slice(5))
    expect(
      planOf(desiredState({}), { actual: left, deletions: { recent: new Map([['Agent', 5]]), approved: new Set() } })
        .counts,
    ).toMatchObject({ delete: 0, blocked: 5 })
  })

  test('come last, what names something before what it names', () => {
    const before = {
      't.yaml': template(),
      'a.yaml': inheriting('a', { parentRef: { name: 'z' } }),
      'z.yaml': agent('z'),
      'b.yaml': asking('b', 'a'),
    }
    expect(actionsOf(before, { 'new.yaml': agent('new') })).toEqual([
      'create Agent/default/new',
      'delete Blueprint/default/b',
      'delete Agent/default/a',
      'delete AgentTemplate/default/engineer',
      'delete Agent/default/z',
    ])
  })
})

/** State repos of a few names, so that references, doubles and cycles come about by themselves. */
const documents = (() => {
  const name = fc.constantFrom('a', 'b', 'c')
  const reference = fc.option(
    name.map((to) => ({ name: to })),
    { nil: undefined },
  )
  const someAgent = fc
    .record({
      name,
      parentRef: reference,
      replicas: fc.option(fc.constantFrom(1, 2, 'bad'), { nil: undefined }),
      templateRef: fc.constantFrom(undefined, { name: 'engineer' }),
      agentId: fc.constantFrom(undefined, '001'),
    })
    .map(({ name: own, ...spec }) =>
      agent(own, Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined))),
    )
  const others = fc.oneof(
    fc
      .constantFrom(undefined, 'Never')
      .map((restartPolicy) => template(restartPolicy === undefined ? {} : { restartPolicy })),
    fc
      .integer({ min: 1, max: 3 })
      .map((replicas) =>
        manifest('Environment', 'default', { overrides: [{ target: { kind: 'Agent' }, patch: { replicas } }] }),
      ),
    name.map((who) => asking('ask', who)),
    fc.constantFrom(
      'apiVersion: stateward.dev/v1alpha1\nkind: Agent\nmetadata: {name: a\n',
      'foreign: true\n',
      manifest('Agnet', 'a'),
    ),
  )
  return fc.oneof({ weight: 3, arbitrary: someAgent }, { weight: 1, arbitrary: others })
})()
const repositories = fc.dictionary(
  fc.constantFrom('1.yaml', '2.yaml', '3.yaml', '4.yaml'),
  fc.array(documents, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('---\n')),
  { noNullPrototype: true },
) as fc.Arbitrary<Files>

describe('of any two states of a repo', () => {
  test('the same inputs give the same plan, and planning changes none of them', () => {
    fc.assert(
      fc.property(repositories, repositories, (from, to) => {
        const actual = appliedFiles(from)
        const desired = desiredState(to)
        const before = JSON.stringify([[...actual], [...desired.keys()].map((key) => desired.all(key))])
        const first = planOf(desired, { actual })
        expect(planOf(desired, { actual })).toEqual(first)
        expect(
          planOf(desiredState(Object.fromEntries(Object.entries(to).reverse())), {
            actual: new Map([...actual].reverse()),
          }).digest,
        ).toBe(first.digest)
        expect(JSON.stringify([[...actual], [...desired.keys()].map((key) => desired.all(key))])).toBe(before)
      }),
    )
  })

  test('planning what was just applied changes nothing', () => {
    fc.assert(
      fc.property(repositories, repositories, (from, to) => {
        const actual = appliedFiles(from)
        const desired = desiredState(to)
        const applied = apply(planOf(desired, { actual }), desired, actual)
        const again = planOf(desired, { actual: applied })
        expect(again.changes.filter(({ action }) => ['create', 'update', 'delete'].includes(action))).toEqual([])
        expect(again.moved).toEqual([])
      }),
    )
  })

  test('the counts add up, each object is in the plan at most once, and what is blocked keeps its digest', () => {
    fc.assert(
      fc.property(repositories, repositories, (from, to) => {
        const actual = appliedFiles(from)
        const desired = desiredState(to)
        const made = planOf(desired, { actual })
        const identified = [...desired.troubled()].flatMap((file) => file.identified)
        const all = new Set([...actual.keys(), ...desired.keys(), ...identified])
        expect(ACTIONS.reduce((sum, action) => sum + made.counts[action], 0)).toBe(all.size)
        expect(new Set(made.changes.map(keyOf)).size).toBe(made.changes.length)
        for (const change of made.changes) {
          expect(change.action).not.toBe('unchanged')
          if (change.action === 'blocked')
            expect(change.toDigest).toBe(actual.get(keyOf(change))?.effectiveDigest ?? null)
          expect(made.effective.has(keyOf(change))).toBe(
            ['create', 'update'].includes(change.action) ||
              (change.action === 'skip' && desired.get(keyOf(change)) !== null),
          )
        }
      }),
    )
  })

  test('what is created or updated comes after what it needs, and deletions come last', () => {
    fc.assert(
      fc.property(repositories, repositories, (from, to) => {
        const made = planFromTo(from, to)
        const order = made.changes.map(keyOf)
        const desired = desiredState(to)
        for (const [i, change] of made.changes.entries()) {
          if (change.action === 'delete')
            expect(made.changes.slice(i).every(({ action }) => action === 'delete')).toBe(true)
          if (change.action !== 'create') continue
          for (const namer of desired.namedBy(order[i]!))
            if (made.changes[order.indexOf(namer)]?.action === 'create') expect(order.indexOf(namer)).toBeGreaterThan(i)
        }
      }),
    )
  })

  test('nothing that a document still names, even a broken one, is deleted', () => {
    fc.assert(
      fc.property(repositories, repositories, (from, to) => {
        const desired = desiredState(to)
        for (const change of planFromTo(from, to).changes) {
          if (change.action !== 'delete') continue
          expect(desired.all(keyOf(change))).toEqual([])
          for (const file of desired.troubled()) {
            expect(file.identified).not.toContain(keyOf(change))
            expect(file.words?.has(change.name) ?? false).toBe(false)
          }
        }
      }),
    )
  })

  test('looking only at what a commit touches comes to the same as looking at everything', () => {
    fc.assert(
      fc.property(repositories, repositories, (from, to) => {
        const before = desiredState(from)
        const first = planOf(before)
        const actual = apply(first, before)
        const desired = desiredState(from)
        const touched = new Set<string>(first.pending)
        for (const path of Object.keys(from))
          if (!(path in to)) for (const key of desired.remove(path)) touched.add(key)
        for (const path of Object.keys(to))
          if (to[path] !== from[path])
            for (const key of desired.put(desiredState({ [path]: to[path]! }).file(path)!)) touched.add(key)
        const scoped = planOf(desired, { actual, scope: affectedBy(touched, [], desired, actual) })
        const whole = planOf(desiredState(to), { actual })
        expect(scoped.counts).toEqual(whole.counts)
        expect(scoped.digest).toBe(whole.digest)
      }),
      { numRuns: 300 },
    )
  })
})
