import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { type ModelServer, startModelServer, type WireRequest } from '../support/model-server.ts'
import { manifest } from '../support/state-files.ts'
import { createHome, type Home, type Server } from '../support/stateward-process.ts'

/** Which turn a request asks for: one more than the model has answered. */
const turnOf = ({ body }: WireRequest): number =>
  (body['messages'] as { role: string }[]).filter(({ role }) => role === 'assistant').length + 1

describe('an agent that is a model, and a controller that is killed', () => {
  let home: Home
  let model: ModelServer
  let server: Server
  afterEach(async () => {
    await home.end()
    await model.close()
  })

  async function start(tool: object, turns: number, onTurn: (turn: number) => { delayMs?: number }) {
    home = await createHome()
    model = await startModelServer()
    model.answer((request) => {
      const turn = turnOf(request)
      const more = onTurn(turn)
      return turn <= turns
        ? { ...more, toolCalls: [{ id: `c${turn}`, name: 'note', input: { n: turn } }] }
        : { ...more, text: `done after ${turns}` }
    })
    const repo = join(home.folder, 'fleet')
    mkdirSync(repo)
    const files: Record<string, string> = {
      'provider.yaml': manifest('ModelProvider', 'wire', {
        type: 'openai-compatible',
        class: 'local',
        baseURL: `${model.url}/v1`,
        models: [{ name: 'm' }],
      }),
      'agent.yaml': manifest('Agent', 'worker', {
        runtime: { model: { provider: 'wire', tools: ['note'] } },
        autonomy: 'full',
      }),
      // It writes down what it did where tests look.
      'tool.yaml': manifest('Tool', 'note', { trusted: true, ...tool }),
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(repo, name), text)
    await home.git(repo, 'init', '-q', '-b', 'main')
    await home.git(repo, 'add', '.')
    await home.git(repo, 'commit', '-qm', 'start')
    server = await home.serve(['up', '--repo', repo])
    const answer = await ask('POST', '/api/v1/tasks', { agent: 'worker', prompt: 'note it all', max_attempts: 1 })
    return String(answer['task_id'] ?? (answer['task'] as Record<string, unknown>)['task_id'])
  }

  async function ask(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const token = readFileSync(join(home.dataDir, 'credentials/admin'), 'utf8').trim()
    const response = await fetch(`http://127.0.0.1:${home.port}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return (await response.json()) as Record<string, unknown>
  }

  async function killAndStart(): Promise<void> {
    await server.kill()
    server = await home.serve(['up', '--repo', join(home.folder, 'fleet')])
  }

  async function ended(id: string): Promise<Record<string, unknown>> {
    let task: Record<string, unknown> = {}
    await until(
      'the task to end',
      async () => {
        task = await ask('GET', `/api/v1/tasks/${id}`)
        return !['queued', 'leased'].includes(String(task['status']))
      },
      60_000,
    )
    return task
  }

  const program = (script: string) => ({
    executor: { command: { command: ['sh', '-c', script] } },
    risk: 'low',
    sideEffects: 'irreversible',
    idempotent: false,
    inputSchema: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } },
  })

  it('goes on from the last recorded turn: nothing that was answered is asked again, no call of a tool is made twice', async () => {
    const asked: number[] = []
    const held = new Set([2, 4])
    let reached = Promise.withResolvers<void>()
    const id = await start(program('cat >> "$HOME/marks"; echo >> "$HOME/marks"; echo "{}"'), 5, (turn) => {
      asked.push(turn)
      if (!held.delete(turn)) return {}
      reached.resolve()
      return { delayMs: 60_000 }
    })
    for (let kill = 0; kill < 2; kill++) {
      await reached.promise
      reached = Promise.withResolvers<void>()
      await killAndStart()
    }
    const task = await ended(id)
    expect(task).toMatchObject({ status: 'completed', output: { text: 'done after 5' } })
    // Only what was being asked when it was killed was asked twice.
    expect(asked).toEqual([1, 2, 2, 3, 4, 4, 5, 6])
    // Outside of the data folder: what really happened.
    const marks = readFileSync(join(home.folder, 'marks'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
    expect(marks.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual([1, 2, 3, 4, 5])
    const lost = (await ask('GET', `/api/v1/model-calls?task_id=${id}&state=completed`))['items'] as unknown[]
    expect(lost).toHaveLength(6)
  })

  it('does not make a call again whose end nobody knows: a person says that it is done, and the loop goes on with that', async () => {
    const id = await start(program('echo x >> "$HOME/marks"; sleep 5; echo "{}"'), 1, () => ({}))
    const marks = join(home.folder, 'marks')
    const made = () => (existsSync(marks) ? readFileSync(marks, 'utf8').split('\n').length - 1 : 0)
    const undecided = async () => {
      const { items } = (await ask('GET', '/api/v1/tool-calls?state=unknown')) as { items: Record<string, unknown>[] }
      return items.filter((call) => call['ended_at'] === null)
    }
    await until('the tool to be called', () => made() === 1, 60_000)
    await killAndStart()
    await until('the call to wait for a person', async () => (await undecided()).length === 1, 60_000)
    const [call] = await undecided()
    expect(call).toMatchObject({ tool: 'note', output: null, error: { code: 'effect_unknown' } })
    expect(await ask('GET', `/api/v1/tasks/${id}`)).toMatchObject({ status: 'leased' })
    const first = String(call!['id'])
    expect(await ask('POST', `/api/v1/tool-calls/${first}/approve`)).toMatchObject({
      error: { code: 'validation_failed' },
    })
    const done = await home.stateward(['tool', 'approve', first, '--done', '--input', '{"was":"there"}'])
    expect(done).toMatchObject({ code: 0, stdout: 'was: there\n' })
    const task = await ended(id)
    expect(task).toMatchObject({ status: 'completed' })
    expect(made()).toBe(1)
    expect(await undecided()).toEqual([])
    const told = model.requests.map(({ body }) => JSON.stringify(body['messages'])).at(-1)
    expect(told).toContain('was')
    expect(told).toContain('there')
  }, 180_000)
})
