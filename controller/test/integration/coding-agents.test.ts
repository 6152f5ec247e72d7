import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { removeFolder, until } from '../support/agent-fleet.ts'
import { asAda, type Call } from '../support/bus-agents.ts'
import { starterFiles } from '../support/starter-files.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const CLIS = {
  claude: 'claude-code',
  codex: 'codex',
  gemini: 'gemini-cli',
  aider: 'aider',
  opencode: 'opencode',
} as const
type Cli = keyof typeof CLIS
const NAMES = Object.keys(CLIS) as Cli[]

const folder = mkdtempSync(join(tmpdir(), 'stateward-coding-'))
const log = join(folder, 'calls.jsonl')
const repository = join(folder, 'repository')
const SCHEMA = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }

let here: Installation
let ada: Call
beforeAll(async () => {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const name of NAMES)
    symlinkSync(join(import.meta.dirname, '../support/coding-clis/stand-in.mjs'), join(bin, name))
  mkdirSync(repository)
  writeFileSync(join(repository, 'hello.txt'), 'as it was\n')
  for (const args of [
    ['init', '-q'],
    ['add', '.'],
    ['-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '-qm', 'x'],
  ])
    execFileSync('git', args, { cwd: repository })
  const starter = (await starterFiles()).filter(
    ({ path }) =>
      path.startsWith('agents/coding/') || path === 'templates/coding-agents.yaml' || path.startsWith('projects/'),
  )
  const path = `${bin}:${dirname(process.execPath)}:${process.env['PATH']}`
  here = await createInstallation({
    ...Object.fromEntries(starter.map(({ path: file, bytes }) => [file, Buffer.from(bytes).toString('utf8')])),
    ...Object.fromEntries(
      NAMES.flatMap((name) => [
        [
          `${name}.yaml`,
          manifest('Agent', name, {
            templateRef: { name: CLIS[name] },
            runtime: { process: { env: [{ name: 'CODING_LOG', value: log }] } },
          }),
        ],
        [
          `structured-${name}.yaml`,
          manifest('Blueprint', `structured-${name}`, {
            plan: [{ id: 'ask', kind: 'agent_task', agent: name, prompt: 'please structure', outputSchema: SCHEMA }],
          }),
        ],
      ]),
    ),
    'demo.yaml': manifest('ModelProvider', 'demo', {
      type: 'scripted',
      models: [{ name: 'rules' }],
      script: [{ match: { lastMessage: 'please ask' }, reply: { text: 'The model says hello.' } }],
    }),
    'payer.yaml': manifest('Agent', 'payer', {
      templateRef: { name: 'claude-code' },
      runtime: { process: { env: ['CODING_LOG', 'ANTHROPIC_API_KEY'].map((name) => ({ name, value: log })) } },
    }),
    'missing.yaml': manifest('Agent', 'missing', {
      templateRef: { name: 'codex' },
      runtime: { process: { env: [{ name: 'PATH', value: `${dirname(process.execPath)}:/usr/bin:/bin` }] } },
    }),
  })
  await here.start({}, { environment: { PATH: path } })
  ada = asAda(here)
})
afterAll(async () => {
  await here.end()
  await removeFolder(folder)
})

// biome-ignore lint/suspicious/noExplicitAny: looked at field by field
type Body = Record<string, any>

async function ask(agent: string, prompt: string, more: object = {}): Promise<Body> {
  const { body } = await ada('POST', '/api/v1/tasks', { agent, prompt, ...more })
  return until(
    `the task of ${agent} to end`,
    async () => {
      const { body: task } = await ada('GET', `/api/v1/tasks/${body.task_id}`)
      return task.status === 'completed' || task.status === 'failed' ? task : null
    },
    40_000,
  )
}
const calls = () =>
  readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: Cli; args: string[]; input: string; cwd: string })

describe('the command lines of coding agents', () => {
  it.each(NAMES)('do a task (%s)', async (name) => {
    const task = await ask(name, 'say hello')
    expect(task).toMatchObject({ status: 'completed', output: { text: expect.stringContaining('say hello') } })
    if (name !== 'aider') expect(task['output'].usage).toEqual({ input_tokens: 20, output_tokens: 30 })
    else expect(task['output'].usage).toEqual({ input_tokens: 1200, output_tokens: 30 })
    const call = calls().findLast((each) => each.name === name)!
    expect(call.input).toContain('say hello')
    expect(call.args.join(' ')).not.toContain('swa_')
  })

  it.each(NAMES)('work on a clone, and answer with what they changed (%s)', async (name) => {
    const task = await ask(name, 'please edit', { inputs: { repository } })
    expect(task['output'].patch).toContain('-as it was')
    expect(task['output'].patch).toContain('+changed')
    expect(task['output'].patch).toContain('+is new')
    expect(readFileSync(join(repository, 'hello.txt'), 'utf8')).toBe('as it was\n')
  })

  it.each(NAMES)('answer in the form a step asks for (%s)', async (name) => {
    const { body } = await ada('POST', '/api/v1/runs', { blueprint_ref: `structured-${name}` })
    const run = await until(
      'the run to end',
      async () => {
        const found = (await ada('GET', `/api/v1/runs/${body.run_id}`)).body
        return found.status === 'completed' || found.status === 'failed' ? found : null
      },
      40_000,
    )
    expect(run).toMatchObject({ status: 'completed' })
    const { body: steps } = await ada('GET', `/api/v1/runs/${body.run_id}/steps`)
    expect(steps.items[0].output).toEqual({ n: 7 })
  })

  it.each(NAMES)('fail as tasks, with what they said (%s)', async (name) => {
    const task = await ask(name, 'please fail')
    expect(task).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('no such model') } })
    expect(task['attempt']).toBe(1)
  })

  it('are tried again when their provider is overloaded', async () => {
    const task = await ask('codex', 'please wait')
    expect(task).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('Overloaded') } })
    expect(task['attempt']).toBeGreaterThan(1)
  })

  it.each(NAMES.filter((name) => name !== 'gemini'))('ask the models of Stateward without a key (%s)', async (name) => {
    const task = await ask(name, 'please ask')
    expect(task).toMatchObject({
      status: 'completed',
      output: { text: expect.stringContaining('The model says hello.') },
    })
    expect(task['output']).not.toHaveProperty('cost_usd')
    const { body } = await ada('GET', `/api/v1/model-calls?agent=${name}`)
    const of = body.items.filter(({ task_id }: Body) => task_id === task['task_id'])
    expect(of).toMatchObject([{ provider: 'demo', state: 'completed', correlation_id: task['correlation_id'] }])
    const costs = await ada('GET', `/api/v1/costs?agent=${name}`)
    expect(costs.body.items.map(({ provider }: Body) => provider)).toEqual(['demo'])
  })

  it('with a key of their own have their costs in the ledger, once', async () => {
    const task = await ask('payer', 'cost something')
    expect(task).toMatchObject({ output: { cost_usd: 0.0123, session: 's-1' } })
    const { body } = await ada('GET', '/api/v1/costs?agent=payer')
    const of = body.items.filter(({ task_id }: Body) => task_id === task['task_id'])
    expect(of).toMatchObject([{ amount_usd: '0.0123', provider: 'claude', model: 'claude-x', output_tokens: 30 }])
  })

  it('that are not installed say so', async () => {
    expect(await ask('missing', 'anything')).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('codex is not installed on this host') },
    })
  })
})
