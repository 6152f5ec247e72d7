import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

let here: Installation

beforeAll(async () => {
  here = await createInstallation({ 'agents/one.yaml': manifest('Agent', 'one', PER_TASK) })
  await here.start({ roles: 'controller,api,worker' })
  await here.untilCondition('Agent/default/one', 'Ready', 'True')
})
afterAll(() => here.end())

interface Revision {
  readonly revision: string
  readonly commit: { readonly subject: string; readonly author: { readonly name: string } } | null
}
interface Overview {
  readonly sources: readonly {
    readonly state: string
    readonly issues: number
    readonly desired: Revision | null
    readonly applied: Revision | null
  }[]
  readonly objects: readonly { readonly kind: string; readonly ready: number; readonly not_ready: number }[]
  readonly dashboards: readonly unknown[]
}
const overview = async () => (await here.ask('GET', '/api/v1/overview')).body as unknown as Overview
const WAIT = { timeout: 20_000 }
const agents = async () => (await overview()).objects.find(({ kind }) => kind === 'Agent')

describe('the overview', () => {
  it('tells the commit that is wanted and the one that is applied, with who wrote it', async () => {
    const commit = await here.apply({ 'agents/two.yaml': manifest('Agent', 'two', PER_TASK) }, 'A second one')
    await expect.poll(async () => (await overview()).sources[0]?.applied?.revision, WAIT).toBe(commit)
    const [source] = (await overview()).sources
    expect(source).toMatchObject({ state: 'synced', issues: 0 })
    expect(source?.desired).toEqual(source?.applied)
    expect(source?.applied?.commit?.subject).toBe('A second one')
  })

  it('counts objects that are ready by their kinds', async () => {
    await here.untilCondition('Agent/default/two', 'Ready', 'True')
    await expect.poll(agents, WAIT).toMatchObject({ ready: 2, not_ready: 0 })
  })

  it('does not take an object that is not ready for one that is not applied', async () => {
    const lost = { ...PER_TASK, runtime: { process: { command: ['no-such-program'] } } }
    await here.apply({ 'agents/lost.yaml': manifest('Agent', 'lost', lost) })
    await expect.poll(agents, WAIT).toMatchObject({ ready: 2, not_ready: 1 })
    await here.untilCondition('Source/state', 'Ready', 'False')
    expect((await overview()).sources[0]).toMatchObject({ state: 'synced', issues: 0 })
    await here.apply({ 'agents/lost.yaml': null })
  })

  it('says when only a part of a commit could be applied', async () => {
    await here.apply({ 'agents/three.yaml': 'apiVersion: stateward.dev/v1alpha1\nkind: Agent\nmetadata: {name: x}\n' })
    await expect
      .poll(async () => {
        const [source] = (await overview()).sources
        return [source?.state === 'synced', source?.issues]
      }, WAIT)
      .toEqual([false, 1])
    await here.apply({ 'agents/three.yaml': null })
  })

  it('has the layouts that are declared', async () => {
    const widgets = [
      { type: 'waiting', x: 0, y: 0, w: 6, h: 2 },
      { type: 'runs', x: 6, y: 0, w: 6, h: 2, title: 'What goes on' },
    ]
    await here.apply({ 'overview.yaml': manifest('Dashboard', 'overview', { title: 'The fleet', widgets }) })
    expect((await overview()).dashboards).toEqual([
      {
        ...{ namespace: 'default', name: 'overview', title: 'The fleet' },
        widgets: [
          { type: 'waiting', x: 0, y: 0, w: 6, h: 2, title: null },
          { type: 'runs', x: 6, y: 0, w: 6, h: 2, title: 'What goes on' },
        ],
      },
    ])
  })
})

describe('a process without the page', () => {
  it('answers as before, and has nothing at its address', async () => {
    expect((await fetch(`${here.stateward.url}/ui/`)).status).toBe(404)
    expect((await overview()).sources).toHaveLength(1)
  })
})
