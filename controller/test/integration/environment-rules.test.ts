import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { until } from '../support/agent-fleet.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

const open: Installation[] = []
async function started(files: Parameters<Installation['apply']>[0]): Promise<Installation> {
  const installation = await createInstallation(files)
  open.push(installation)
  await installation.start()
  return installation
}
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})
const cliOf =
  (here: Installation) =>
  async (...args: string[]) => {
    const terminal = fakeTerminal({
      cwd: here.dataDir,
      now: new Date().toISOString(),
      env: { STATEWARD_DATA: here.dataDir, STATEWARD_SERVER: here.stateward.url },
    })
    const code = await runProgram(args, terminal)
    return { code, out: terminal.output(), err: terminal.errors() }
  }

const STARTER = join(import.meta.dirname, '../../../state-repo/policies/control-agents.yaml')
const CONTROL = { labels: { 'stateward.dev/class': 'control' } }
const environment = (of: string) => manifest('Environment', 'default', { class: of })

describe('agents that run the fleet', () => {
  it('are neither declared nor spawned in an environment of class product, by the rule of the starter', async () => {
    const here = await started({
      'env.yaml': environment('product'),
      'policy.yaml': readFileSync(STARTER, 'utf8'),
      'rest.yaml': manifest('Policy', 'rest', { rules: [{ id: 'rest', priority: 1000, effect: 'allow' }] }),
      'plain.yaml': agent('plain', PER_TASK),
    })
    await here.untilCondition('Policy/default/control-agents', 'Ready', 'True')
    const cli = cliOf(here)
    await here.apply({
      'governor.yaml': agent('governor', PER_TASK, CONTROL),
      'template.yaml': manifest('AgentTemplate', 'steward', PER_TASK, CONTROL),
      'other.yaml': agent('other', PER_TASK),
    })
    await here.untilCondition('Agent/default/other', 'Ready', 'True')
    expect((await cli('get', 'agents')).out).not.toContain('governor')
    const source = await until('the source to say so', async () => {
      const { out } = await cli('describe', 'source', 'state')
      return out.includes('control-agents') ? out : null
    })
    expect(source).toContain('not-in-product')
    const spawned = await cli('spawn', 'steward', '--ttl', '10m')
    expect(spawned.code).not.toBe(0)
    expect(spawned.err).toContain('control-agents')
    expect((await cli('policy', 'decisions')).out).toContain('not-in-product')

    await here.apply({ 'env.yaml': environment('control') })
    await until('the governor', async () => (await cli('get', 'agents')).out.includes('governor'))
    expect((await cli('spawn', 'steward', '--ttl', '10m')).code).toBe(0)
  })
})

describe('a window', () => {
  it('is taken away with a reason and only with one, and is back when that is resumed', async () => {
    const told = (word: string) => agent('told', { ...PER_TASK, description: word })
    const here = await started({
      'window.yaml': manifest('Policy', 'nights', {
        type: 'window',
        windows: [{ id: 'always', kind: 'deny', schedule: '* * * * *', duration: '1h', kinds: ['Agent'] }],
      }),
    })
    await here.untilCondition('Policy/default/nights', 'Ready', 'True')
    const cli = cliOf(here)
    await here.apply({ 'told.yaml': told('one') })
    expect((await cli('describe', 'source', 'state')).out).toContain('while window always is open')
    const refused = await cli('suspend', 'policy', 'nights')
    expect(refused.code).not.toBe(0)
    expect(refused.err).toContain('--reason')
    const taken = await cli('suspend', 'policy', 'nights', '--reason', 'the fix cannot wait')
    expect(taken).toMatchObject({ code: 0, err: '' })
    await until('the agent', async () => (await cli('get', 'agents')).out.includes('told'))
    const events = await here.events()
    expect(events).toContainEqual(
      expect.objectContaining({
        event_name: 'stateward.object.suspended',
        actor: expect.stringMatching(/^user:/),
        data: expect.objectContaining({ name: 'nights', reason: 'the fix cannot wait' }),
      }),
    )
    expect((await cli('drift')).out).toContain('the fix cannot wait')
    expect((await cli('resume', 'policy', 'nights')).code).toBe(0)
    await until('the window to be back', () => here.condition('Policy/default/nights', 'Suspended') === null)
    await here.apply({ 'told.yaml': told('two') })
    await here.untilCondition('Agent/default/told', 'Held', 'True', 'OutsideWindow')
    expect(here.object('Agent/default/told').spec['description']).toBe('one')
  })
})
