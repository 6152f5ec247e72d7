import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { identityOf } from '../../src/lib/process-identity.ts'
import type { Store } from '../../src/store/store.ts'
import { ProcessKeeper } from '../../src/tools/process/running/running-programs.ts'
import { findSandbox, type Sandbox } from '../../src/tools/sandbox/sandbox.ts'
import { until } from '../support/agent-fleet.ts'
import { connectAsOwner, createTestDatabase, openTestStore, type TestDatabase } from '../support/database.ts'
import { requires } from '../support/requires.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'
import { startToolStack, type ToolStack } from '../support/tool-stack.ts'

const bubblewrap = requires('bubblewrap')
const root = mkdtempSync(join(tmpdir(), 'stateward-processes-'))
let database: TestDatabase
const closing: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(async () => {
  for (const close of closing.reverse()) await close()
  await database.drop()
  rmSync(root, { recursive: true, force: true })
})

interface Here {
  readonly store: Store
  readonly keeper: ProcessKeeper
  readonly stack: ToolStack
}
/** A process of Stateward, as far as programs know one. */
async function process_(most = 16, sandbox?: Sandbox): Promise<Here> {
  const store = await openTestStore(database, { host: 'here' })
  const keeper = new ProcessKeeper({
    store,
    folder: join(root, 'processes'),
    host: 'here',
    envId: (namespace) => namespace,
    artifacts: () => Promise.reject(new Error('none of these belongs to a run')),
    most: () => most,
  })
  const stack = await startToolStack({}, undefined, {
    processes: keeper,
    ...(sandbox === undefined ? {} : { sandbox }),
  })
  closing.push(async () => {
    if (!store.writer.isLost) await keeper.stopAll(0)
    await store.end()
    await stack.close()
  })
  return { store, keeper, stack }
}
/** What a killed one leaves: its row of writers is gone, and nobody looks after anything. */
async function kill({ keeper, store }: Here): Promise<void> {
  await keeper.leave()
  const sql = connectAsOwner(database)
  await sql`DELETE FROM writers WHERE id = ${store.writer.id}`
  await sql.end()
}

const call = (here: Here, tool: string, parameters: JsonObject, actor = 'user:ada', operationId = `call/${uuidv7()}`) =>
  here.stack.call(tool, parameters, { actor, operationId }) as Promise<JsonObject>
const shell = (script: string) => ['sh', '-c', script]
const runs = (pid: unknown) => identityOf(Number(pid)) !== null

describe('a program that goes on after its call', () => {
  it('is started, told of, waited for and ended, with what it started', async () => {
    const here = await process_()
    const started = await call(here, 'process.start', {
      command: shell('echo ready; echo words >&2; sleep 600 & echo $! > child; wait'),
      name: 'server',
    })
    expect(started).toMatchObject({ name: 'server', state: 'running', until: 'stopped', host: 'here', exitCode: null })
    expect(await call(here, 'process.wait', { process: 'server', text: 'ready' })).toMatchObject({ seen: true })
    expect(await call(here, 'process.logs', { process: started['process']! })).toMatchObject({
      stdout: 'ready\n',
      stderr: 'words\n',
    })
    expect(await call(here, 'process.list', {})).toMatchObject({ processes: [{ name: 'server' }] })
    const child = readFileSync(join(here.stack.workspace, 'child'), 'utf8').trim()
    expect(runs(child)).toBe(true)
    expect(await call(here, 'process.wait', { process: 'server', timeoutSeconds: 0 })).toMatchObject({ timedOut: true })
    const ended = await call(here, 'process.stop', { process: 'server' })
    expect(ended).toMatchObject({ state: 'ended', reason: 'stopped', exitCode: 143 })
    expect([runs(started['pid']), runs(child)]).toEqual([false, false])
    expect(await call(here, 'process.status', { process: 'server' })).toMatchObject({ state: 'ended' })
    expect(await call(here, 'process.list', {})).toEqual({ processes: [] })
    await expect(call(here, 'process.signal', { process: 'server', signal: 'HUP' })).rejects.toMatchObject({
      ref: 'SW_CONFLICT',
    })
  })

  it('gets the signal that is meant for it, and KILL when TERM is not enough', async () => {
    const here = await process_()
    const script = 'trap "echo again" HUP; trap "echo no" TERM; echo up; while :; do sleep 0.1; done'
    await call(here, 'process.start', { command: shell(script), name: 'stubborn' })
    await call(here, 'process.wait', { process: 'stubborn', text: 'up' })
    await call(here, 'process.signal', { process: 'stubborn', signal: 'HUP' })
    expect(await call(here, 'process.wait', { process: 'stubborn', text: 'again' })).toMatchObject({ seen: true })
    const ended = await call(here, 'process.stop', { process: 'stubborn', graceSeconds: 1 })
    expect(ended).toMatchObject({ state: 'ended', exitCode: 137 })
    expect(await call(here, 'process.logs', { process: 'stubborn' })).toMatchObject({ stdout: 'up\nagain\nno\n' })
  })

  it('that ends at once with a failure was not started, and says why; one that ends well has ended', async () => {
    const here = await process_()
    await expect(call(here, 'process.start', { command: shell('echo broken >&2; exit 3') })).rejects.toMatchObject({
      ref: 'SW_TOOL_FAILED',
      message: expect.stringContaining('exit code 3: broken'),
    })
    const settleMs = 20_000
    expect(await call(here, 'process.start', { command: ['true'], settleMs })).toMatchObject({
      state: 'ended',
      reason: 'exited',
      exitCode: 0,
    })
    await expect(call(here, 'process.start', { command: ['no-such-program'], settleMs })).rejects.toMatchObject({
      ref: 'SW_TOOL_FAILED',
    })
  })

  it('has a time, after which it ends', async () => {
    const here = await process_()
    const started = await call(here, 'process.start', { command: ['sleep', '600'], lifetime: '1s', settleMs: 0 })
    expect(await call(here, 'process.wait', { process: started['process']! })).toMatchObject({
      state: 'ended',
      reason: 'lifetime',
    })
    await expect(call(here, 'process.start', { command: ['sleep', '1'], lifetime: '31d' })).rejects.toMatchObject({
      ref: 'SW_VALIDATION_FAILED',
    })
    await expect(call(here, 'process.start', { command: ['sleep', '1'], until: 'run' })).rejects.toMatchObject({
      ref: 'SW_VALIDATION_FAILED',
    })
  })

  it('is one of so many, has its name alone, and is its agent’s', async () => {
    const here = await process_(2)
    const sleep = { command: ['sleep', '600'], settleMs: 0 }
    await call(here, 'process.start', { ...sleep, name: 'one' }, 'agent:default/one')
    await expect(call(here, 'process.start', { ...sleep, name: 'one' })).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    const two = await call(here, 'process.start', sleep)
    expect(two['name']).toMatch(/^sleep-[0-9a-f]{6}$/)
    await expect(call(here, 'process.start', sleep)).rejects.toMatchObject({ ref: 'SW_QUOTA_EXCEEDED' })
    for (const tool of ['process.status', 'process.stop', 'process.logs'])
      await expect(call(here, tool, { process: 'one' }, 'agent:default/two'), tool).rejects.toMatchObject({
        ref: 'SW_NOT_FOUND',
      })
    expect(await call(here, 'process.list', {}, 'agent:default/two')).toEqual({ processes: [] })
    expect(await call(here, 'process.stop', { process: 'one' }, 'agent:default/one')).toMatchObject({ state: 'ended' })
    await here.keeper.stopAll(0)
    expect(await call(here, 'process.status', { process: two['process']! })).toMatchObject({ reason: 'shutdown' })
  })

  it('is taken back by ending it', async () => {
    const here = await process_()
    const operationId = `call/${uuidv7()}`
    const started = await call(here, 'process.start', { command: ['sleep', '600'] }, 'user:ada', operationId)
    expect(await call(here, 'tool.undo', { call: operationId })).toMatchObject({
      tool: 'process.start',
      undone: true,
      result: { process: started['process'], state: 'ended' },
    })
    expect(runs(started['pid'])).toBe(false)
  })

  it('goes on when its process of Stateward is killed, is found by the same operation, and belongs to the next one', async () => {
    const before = await process_()
    const operationId = `call/${uuidv7()}`
    const command = shell('echo once >> starts; sleep 600')
    const started = await call(before, 'process.start', { command, name: 'kept' }, 'user:ada', operationId)
    await kill(before)
    expect(runs(started['pid'])).toBe(true)
    const after = await process_()
    // Nobody looks after it yet: whoever asks for it again finds it.
    expect(await call(after, 'process.start', { command, name: 'kept' }, 'user:ada', operationId)).toMatchObject({
      process: started['process'],
      pid: started['pid'],
      state: 'running',
    })
    expect(readFileSync(join(before.stack.workspace, 'starts'), 'utf8')).toBe('once\n')
    expect(await call(after, 'process.stop', { process: 'kept' })).toMatchObject({ state: 'ended', reason: 'stopped' })
    expect(runs(started['pid'])).toBe(false)
  })

  it('that ended while nobody looked has its exit code; of one whose machine was started again, nobody knows', async () => {
    const before = await process_()
    await call(before, 'process.start', {
      command: shell('while [ ! -e end ]; do sleep 0.1; done; exit 7'),
      name: 'late',
    })
    await call(before, 'process.start', { command: ['sleep', '600'], name: 'other-boot' })
    const { process: id } = await call(before, 'process.status', { process: 'late' })
    await kill(before)
    writeFileSync(join(before.stack.workspace, 'end'), '')
    await until('its exit to be recorded', () => {
      try {
        return readFileSync(join(root, 'processes', String(id), 'exit'), 'utf8').trim() === '7'
      } catch {
        return false
      }
    })
    const sql = connectAsOwner(database)
    const [row] = await sql<{ pid: number }[]>`
      UPDATE tool_processes SET boot_id = 'another' WHERE name = 'other-boot' RETURNING pid`
    await sql.end()
    const after = await process_()
    await after.keeper.recover()
    expect(await call(after, 'process.wait', { process: 'late' })).toMatchObject({ reason: 'exited', exitCode: 7 })
    expect(await call(after, 'process.status', { process: 'other-boot' })).toMatchObject({
      reason: 'lost',
      exitCode: null,
    })
    // A pid of another boot is nobody's: it is not touched.
    expect(runs(row!.pid)).toBe(true)
    process.kill(-row!.pid, 'SIGKILL')
  })

  it('of which nobody knows whether it was started is started, and only once', async () => {
    const before = await process_()
    const operationId = `call/${uuidv7()}`
    const command = shell('echo once >> starts; sleep 600')
    await call(before, 'process.start', { command, name: 'unsaid' }, 'user:ada', operationId)
    // The row as it was before the program said who it is, and the program with it.
    const sql = connectAsOwner(database)
    await sql`UPDATE tool_processes SET pid = NULL, pid_start = NULL WHERE operation_id = ${operationId}`
    await kill(before)
    const after = await process_()
    await after.keeper.recover()
    expect(await call(after, 'process.start', { command, name: 'unsaid' }, 'user:ada', operationId)).toMatchObject({
      state: 'running',
    })
    expect(readFileSync(join(before.stack.workspace, 'starts'), 'utf8')).toBe('once\n')
    await call(after, 'process.stop', { process: 'unsaid' })
    // One that never came so far: its folder is empty.
    const never = `call/${uuidv7()}`
    await sql`
      INSERT INTO tool_processes (id, namespace, name, operation_id, actor, correlation_id, command, with_run, host, boot_id,
        pid_namespace, folder, created_at, ends_at)
      SELECT ${uuidv7()}, namespace, 'never', ${never}, actor, correlation_id, command, false, host, boot_id, pid_namespace,
        ${join(root, 'processes', 'never')}, created_at, ends_at FROM tool_processes WHERE operation_id = ${operationId}`
    await sql.end()
    await after.keeper.recover()
    expect(await call(after, 'process.status', { process: 'never' })).toMatchObject({ reason: 'not_started' })
    expect(await call(after, 'process.start', { command, name: 'never' }, 'user:ada', never)).toMatchObject({
      state: 'running',
    })
    await call(after, 'process.stop', { process: 'never' })
  })

  it('is forgotten with its folder when it is long over', async () => {
    const here = await process_()
    const started = await call(here, 'process.start', { command: ['true'], settleMs: 20_000 })
    await delay(5)
    expect(await here.keeper.tidy(1)).toBeGreaterThan(0)
    await expect(call(here, 'process.status', { process: started['process']! })).rejects.toMatchObject({
      ref: 'SW_NOT_FOUND',
    })
  })
})

describe.skipIf(!bubblewrap.available)(`in a sandbox ${bubblewrap.reason}`, () => {
  it('it has the time to end by itself, gets its signals, and outlives its process of Stateward', async () => {
    const sandbox = await findSandbox({ path: process.env['PATH'] ?? '', home: null, hidden: [root] })
    const before = await process_(16, sandbox)
    const script = 'trap "echo hup" HUP; trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.1; done'
    const started = await call(before, 'process.start', { command: shell(script), name: 'confined' })
    await call(before, 'process.wait', { process: 'confined', text: 'up' })
    await kill(before)
    const after = await process_(16, sandbox)
    await after.keeper.recover()
    await call(after, 'process.signal', { process: 'confined', signal: 'HUP' })
    expect(await call(after, 'process.wait', { process: 'confined', text: 'hup' })).toMatchObject({ seen: true })
    expect(await call(after, 'process.stop', { process: 'confined' })).toMatchObject({ state: 'ended', exitCode: 0 })
    expect(await call(after, 'process.logs', { process: 'confined' })).toMatchObject({ stdout: 'up\nhup\nbye\n' })
    expect(runs(started['pid'])).toBe(false)
  })
})

describe('a program of a run', () => {
  let here: Installation
  beforeAll(async () => {
    here = await createInstallation({
      'blueprints/serve.yaml': manifest('Blueprint', 'serve', {
        inputs: [{ name: 'port', schema: { type: 'string' } }],
        plan: [
          {
            id: 'server',
            kind: 'action_task',
            action: 'process.start',
            with: {
              name: 'web',
              command: ['node', '-e', SERVER, '{{ inputs.port }}'],
            },
          },
          { id: 'up', kind: 'action_task', action: 'process.wait', with: { process: 'web', text: 'listening' } },
          {
            id: 'answers',
            kind: 'action_task',
            action: 'net.http_request',
            with: { url: 'http://127.0.0.1:{{ inputs.port }}/' },
          },
        ],
        outputs: [
          { name: 'body', value: '{{ steps.answers.output.body }}' },
          { name: 'pid', value: '{{ steps.server.output.pid }}' },
        ],
      }),
      'environments/default.yaml': manifest('Environment', 'default', { autonomy: 'full', quota: { processes: 1 } }),
    })
    await here.start()
    await here.untilCondition('Source/state', 'Ready', 'True')
  })
  afterAll(async () => {
    await here.end()
  })

  it('serves its steps, ends with it, and leaves what it printed as artifacts', async () => {
    const port = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number }
        server.close(() => resolve(port))
      })
    })
    const { body: started, status } = await here.post('/api/v1/runs', {
      blueprint_ref: 'serve',
      inputs: { port: String(port) },
    })
    expect([status, started]).toMatchObject([expect.any(Number), { run_id: expect.any(String) }])
    const run = await until('the run to end', async () => {
      const { body } = await here.ask('GET', `/api/v1/runs/${String(started['run_id'])}`)
      return body['completed_at'] === null ? null : body
    })
    expect([run['status'], run['error'], (run['outputs'] as { body: string }).body]).toEqual([
      'completed',
      null,
      'served',
    ])
    const ended = await until('its end to be told', async () =>
      (await here.events()).find(({ event_name }) => event_name === 'stateward.tool.process.ended'),
    )
    expect(ended.data).toMatchObject({ name: 'web', reason: 'run_ended', artifacts: [expect.any(String)] })
    expect(runs((run['outputs'] as { pid: number }).pid)).toBe(false)
    const [artifact] = ended.data['artifacts'] as string[]
    const { body } = await here.ask('GET', `/api/v1/artifacts/${artifact}`)
    expect(body).toMatchObject({ name: 'web.out.log', kind: 'log', run_id: run['run_id'] })
  })

  it('of people goes on, until the controller ends in order', async () => {
    const input = { command: ['sleep', '600'], name: 'forever' }
    const { body } = await here.post('/api/v1/tools/process.start/call', { input })
    expect(body).toMatchObject({ state: 'succeeded', output: { state: 'running', until: 'stopped' } })
    const { pid } = body['output'] as { pid: number }
    const { body: full } = await here.post('/api/v1/tools/process.start/call', { input: { ...input, name: 'another' } })
    expect(full).toMatchObject({ state: 'failed', error: { code: 'quota_exceeded' } })
    await here.stop()
    expect(runs(pid)).toBe(false)
    await here.start({ keepAgents: true })
    const { body: ended } = await here.post('/api/v1/tools/process.status/call', { input: { process: 'forever' } })
    expect(ended['output']).toMatchObject({ state: 'ended', reason: 'shutdown' })
    const { body: again } = await here.post('/api/v1/tools/process.start/call', { input })
    const kept = (again['output'] as { pid: number }).pid
    await here.stop()
    expect(runs(kept)).toBe(true)
    await here.start()
    const { body: stopped } = await here.post('/api/v1/tools/process.stop/call', { input: { process: 'forever' } })
    expect(stopped).toMatchObject({ output: { state: 'ended', reason: 'stopped' } })
    expect(runs(kept)).toBe(false)
  })
})

const SERVER =
  "require('node:http').createServer((_, r) => r.end('served')).listen(+process.argv[1], '127.0.0.1', () => console.log('listening'))"
