import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, isRunning, PER_TASK, storyOf } from '../support/stateward.ts'

const open: Installation[] = []
async function started(files: Parameters<Installation['apply']>[0], flags: object = {}): Promise<Installation> {
  const installation = await createInstallation(files)
  open.push(installation)
  await installation.start({ ...flags })
  return installation
}
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})

/** Answers each task with its prompt in capitals, over the bus as the starter's agent speaks it. */
const MAIN = `
import { connect } from './bus.mjs'
const { STATEWARD_URL: url, STATEWARD_TOKEN: token, STATEWARD_INSTANCE: instance, STATEWARD_AGENT: agent } = process.env
const { signal } = new AbortController()
const bus = connect({ url, token, agent, instance, namespace: process.env.STATEWARD_NAMESPACE }, console.log)
await bus.register(signal)
setInterval(() => bus.heartbeat([], signal).catch(() => {}), 500)
for (;;)
  for (const task of await bus.pickup(signal))
    await bus.report(task, { status: 'completed', output: { text: task.prompt.toUpperCase() } }, signal)
`
const BUS = readFileSync(new URL('../../../state-repo/agents/sre/bus.mjs', import.meta.url), 'utf8')

const KEY = 'Agent/default/a'
const FILES = {
  'a.yaml': agent('a', {
    runtime: { process: { command: ['node', 'main.mjs'], workdir: 'code/a' } },
    heartbeat: { interval: '1s', timeout: '5s' },
  }),
  'code/a/main.mjs': MAIN,
  'code/a/bus.mjs': BUS,
}
const BLUEPRINT = manifest('Blueprint', 'ask', {
  triggers: [{ event: 'question.asked' }],
  inputs: [{ name: 'text', schema: { type: 'string' }, required: true, from: 'event.data.text' }],
  plan: [{ id: 'answer', kind: 'agent_task', agent: 'a', prompt: '{{ inputs.text }}' }],
  outputs: [{ name: 'answer', value: '{{ steps.answer.output.text }}' }],
})

async function livePid(here: Installation): Promise<number> {
  await here.untilCondition(KEY, 'Ready', 'True')
  const [pid, ...more] = await here.pids(KEY)
  expect(more).toEqual([])
  return pid!
}

async function ask(here: Installation, text: string): Promise<void> {
  const emitted = await here.post('/api/v1/events', { event_name: 'question.asked', data: { text } })
  expect(emitted.status).toBeLessThan(300)
  await until(`the answer to ${text}`, async () => {
    const [run] = await here.sql<{ outputs: Record<string, unknown> | null }[]>`
      SELECT outputs FROM runs WHERE status = 'completed' AND inputs->>'text' = ${text}`
    return run?.outputs?.['answer'] === text.toUpperCase()
  })
}

describe('an agent that runs from the state repo', () => {
  it('is ready once it reports, and answers an event through a blueprint', async () => {
    const here = await started({ ...FILES, 'ask.yaml': BLUEPRINT })
    await livePid(here)
    expect(here.object(KEY).status).toMatchObject({ phase: 'Running', replicas: 1, readyReplicas: 1 })
    await here.untilCondition('Source/state', 'Ready', 'True')
    await ask(here, 'hello')
  })

  it('comes back when its process is killed, and works on', async () => {
    const here = await started({ ...FILES, 'ask.yaml': BLUEPRINT })
    const pid = await livePid(here)
    process.kill(pid, 'SIGKILL')
    await here.untilCondition(KEY, 'Ready', 'False')
    const next = await until('another process', async () => {
      const [found] = await here.pids(KEY)
      return found !== undefined && found !== pid && found
    })
    expect(await livePid(here)).toBe(next)
    expect(here.object(KEY).generation).toBe(1)
    await ask(here, 'again')
  })

  it('is adopted with its pid by the next process, goes on reporting, and works on', async () => {
    const here = await started({ ...FILES, 'ask.yaml': BLUEPRINT }, { keepAgents: true })
    const port = new URL(here.stateward.url).port
    const pid = await livePid(here)
    await here.stop()
    await here.start({ keepAgents: true, port })
    expect(await livePid(here)).toBe(pid)
    await ask(here, 'still there?')
    expect(storyOf(await here.events()).filter((line) => line === 'agent.instance.started')).toHaveLength(1)
    await here.stop()
    await here.start({ port })
    expect(await livePid(here)).toBe(pid)
    await here.stop()
    expect(isRunning(pid)).toBe(false)
  })

  it('that keeps ending is started again more and more slowly, and says why', async () => {
    const crashing = { runtime: { process: { command: ['sh', '-c', 'exit 3'] } } }
    const here = await started({ 'a.yaml': agent('a', crashing), 'b.yaml': agent('b', PER_TASK) })
    await here.untilCondition(KEY, 'Ready', 'False', 'CrashLoop')
    expect(here.condition(KEY, 'Ready')?.message).toContain('exit code 3')
    expect(here.object(KEY).status['phase']).toBe('Failed')
    expect(here.condition('Source/state', 'Ready')).toMatchObject({ status: 'False', reason: 'DependencyNotReady' })
    await here.apply({ 'a.yaml': agent('a', PER_TASK) })
    await here.untilCondition(KEY, 'Ready', 'True')
  })

  it('that cannot start says what is missing', async () => {
    const env = [{ name: 'KEY', secretRef: { name: 'openai', key: 'token' } }]
    const here = await started({
      'a.yaml': agent('a', { runtime: { process: { command: ['cat'], mode: 'perTask', env } } }),
      'b.yaml': agent('b', { ...PER_TASK, hostSelector: { matchLabels: { zone: 'moon' } } }),
    })
    await here.untilCondition(KEY, 'Ready', 'False', 'SecretMissing')
    expect(here.condition(KEY, 'Ready')?.message).toContain('openai')
    expect(here.condition('Agent/default/b', 'Ready')).toMatchObject({ status: 'False', reason: 'NoHost' })
  })
})
