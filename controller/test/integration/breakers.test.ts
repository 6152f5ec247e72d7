import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { watchAgentBreakers } from '../../src/breakers/agent-breakers.ts'
import { reset, trip } from '../../src/breakers/breakers.ts'
import { ToolBreakers } from '../../src/breakers/tool-breakers.ts'
import { runProgram } from '../../src/cli/program.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import { breakerOf } from '../../src/store/queries/breakers.ts'
import { insertInstance } from '../../src/store/queries/instances.ts'
import { endTask, insertTask, leaseToDaemon } from '../../src/store/queries/tasks.ts'
import { transact } from '../../src/store/transact.ts'
import { until } from '../support/agent-fleet.ts'
import { ADMIN_TOKEN, startApi, type TestApi } from '../support/api-server.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'

/** A clock that goes on when it is told to; elapsed time too. */
class SteppingClock implements Clock {
  #ms = Date.UTC(2030, 0, 1)
  advance(ms: number): void {
    this.#ms += ms
  }
  now(): Date {
    return new Date(this.#ms)
  }
  monotonicMs(): number {
    return this.#ms
  }
}

const ada = { reason: 'by hand', actor: 'user:ada' }

describe('the breaker of a tool', () => {
  const clock = new SteppingClock()
  let store: TestStore
  beforeAll(async () => {
    store = await createTestStore({ clock })
  })
  afterAll(() => store.end())

  /** A tool that works, or does not, as seen by one process. */
  function aTool(name: string, settings: { failures: number; cooldownSeconds: number } | null) {
    const tool = { works: true, calls: 0 }
    const breakers = new ToolBreakers(store)
    const call = async (error = 'broken'): Promise<string> => {
      // What was read before is older than this.
      clock.advance(1_000)
      try {
        return await breakers.call({
          namespace: 'default',
          tool: name,
          timeoutMs: 1_000,
          settings,
          counts: (thrown) => (thrown as Error).message !== 'invalid',
          async run() {
            tool.calls += 1
            if (!tool.works) throw new Error(error)
            return 'done'
          },
        })
      } catch (thrown) {
        return (thrown as { code?: string }).code ?? (thrown as Error).message
      }
    }
    const state = async () => (await breakerOf(store.engine, { kind: 'Tool', namespace: 'default', name }))?.state
    return { tool, call, state, target: { kind: 'Tool' as const, namespace: 'default', name } }
  }

  it('opens after so many failures in a row, tries one after its cooldown, and closes when that works', async () => {
    const { tool, call, state } = aTool('flaky', { failures: 3, cooldownSeconds: 60 })
    tool.works = false
    expect([await call(), await call()]).toEqual(['broken', 'broken'])
    tool.works = true
    expect(await call()).toBe('done')
    tool.works = false
    expect([await call(), await call(), await state(), await call(), await state()]).toEqual([
      'broken',
      'broken',
      undefined,
      'broken',
      'open',
    ])
    const before = tool.calls
    expect([await call(), tool.calls]).toEqual(['breaker_open', before])
    clock.advance(60_000)
    expect([await call(), await state(), tool.calls]).toEqual(['broken', 'open', before + 1])
    clock.advance(60_000)
    tool.works = true
    expect([await call(), await state(), await call()]).toEqual(['done', 'closed', 'done'])
  })

  it('is not opened by calls that were wrong themselves', async () => {
    const { tool, call, state } = aTool('strict', { failures: 1, cooldownSeconds: 60 })
    tool.works = false
    expect([await call('invalid'), await call('invalid'), await state()]).toEqual(['invalid', 'invalid', undefined])
  })

  it('that was opened by hand stays open until somebody resets it, in every process and after a restart', async () => {
    const { tool, call, target } = aTool('by-hand', null)
    await transact(store, (tx) => trip(tx, store, target, { ...ada, cooldownSeconds: null }))
    clock.advance(86_400_000)
    expect([await call(), await aTool('by-hand', null).call()]).toEqual(['breaker_open', 'breaker_open'])
    expect(tool.calls).toBe(0)
    await transact(store, (tx) => reset(tx, store, target, 'user:ada'))
    expect(await call()).toBe('done')
    await transact(store, (tx) => reset(tx, store, target, 'user:ada'))
  })

  it('lets one call through to try, not one a process', async () => {
    const one = aTool('probed', null)
    await transact(store, (tx) => trip(tx, store, one.target, { ...ada, cooldownSeconds: 1 }))
    clock.advance(2_000)
    const others = [one, aTool('probed', null), aTool('probed', null)]
    const answers = await Promise.all(others.map(({ call }) => call()))
    expect(answers.filter((answer) => answer === 'done').length).toBeGreaterThan(0)
    const events = await store.reader`
      SELECT 1 FROM events WHERE event_name = 'stateward.breaker.half_opened' AND data ->> 'name' = 'probed'`
    expect(events).toHaveLength(1)
  })
})

describe('the breaker of an agent', () => {
  const clock = new SteppingClock()
  let store: TestStore
  const instance = uuidv7()
  beforeAll(async () => {
    store = await createTestStore({ clock })
    await insertInstance(
      store.engine,
      {
        id: instance,
        agentUid: uuidv7(),
        namespace: 'default',
        agent: 'sre',
        ordinal: 0,
        host: 'local',
        mode: 'daemon',
        slots: 1,
        launchDigest: 'd',
        tokenSha256: 't',
        bootId: 'b',
        restartCount: 0,
        crashCount: 0,
        createdAt: clock.now(),
      },
      10,
    )
    await store.engine`UPDATE instances SET state = 'running'`
  })
  afterAll(() => store.end())

  const enqueue = (count: number) =>
    transact(store, async (tx) => {
      for (let i = 0; i < count; i++)
        await insertTask(tx, {
          task_id: uuidv7(),
          namespace: 'default',
          agent: 'sre',
          ...{ run_id: null, step_id: null, path: null, prompt: 'p', inputs: {}, output_schema: null },
          ...{ deadline: null, keep_workspace: false, correlation_id: 'c', created_at: clock.now() },
        })
    })
  const lease = () =>
    transact(store, (tx) =>
      leaseToDaemon(tx, {
        instanceId: instance,
        takesBulk: false,
        max: 10,
        until: new Date('2031-01-01'),
        now: clock.now(),
      }),
    )
  async function finish(tasks: readonly { readonly task_id: string }[], status: 'completed' | 'failed') {
    clock.advance(10)
    for (const { task_id } of tasks) {
      const at = clock.now()
      const error = { code: 'x', message: 'm', retryable: false }
      await endTask(store.engine, task_id, status === 'failed' ? { status, error, at } : { status, output: null, at })
    }
  }

  it('opens when its tasks keep failing, gives nothing out, then one, and closes when that works', async () => {
    const woken: string[] = []
    const settings = { failures: 2, cooldownSeconds: 60 }
    const watch = watchAgentBreakers(
      store,
      () => [{ namespace: 'default', name: 'sre', settings }],
      (namespace, agent) => woken.push(`${namespace}/${agent}`),
    )
    const target = { kind: 'Agent' as const, namespace: 'default', name: 'sre' }
    const becomes = (state: string) => {
      watch.nudge()
      return until(state, async () => (await breakerOf(store.engine, target))?.state === state)
    }
    await enqueue(8)
    const first = await lease()
    expect(first).toHaveLength(8)
    await finish(first.slice(0, 2), 'failed')
    await becomes('open')
    await finish(first.slice(2), 'completed')
    await enqueue(3)
    expect(await lease()).toEqual([])
    clock.advance(60_000)
    await becomes('half_open')
    const tried = await lease()
    expect([tried.length, (await lease()).length]).toEqual([1, 0])
    await finish(tried, 'failed')
    await becomes('open')
    clock.advance(60_000)
    await becomes('half_open')
    await finish(await lease(), 'completed')
    await becomes('closed')
    await until('the agent to be woken', () => woken.length > 2)
    expect(await lease()).toHaveLength(1)
    await watch.stop()
  })
})

describe('breakers over HTTP', () => {
  let api: TestApi
  beforeAll(async () => {
    const builtin = async () => [{ metadata: { name: 'http.request' } }] as never
    api = await startApi({
      listen: true,
      options: { auth: { mode: 'token', adminToken: ADMIN_TOKEN } },
      services: { views: { builtin } },
    })
  })
  afterAll(() => api.stop())

  async function call(method: string, path: string, body?: object, token = ADMIN_TOKEN) {
    const response = await fetch(api.url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> & { items: object[] } }
  }

  it('are triggered and reset by a governor, and by nobody who only looks', async () => {
    const keyOf = async (role: string) =>
      String((await call('POST', '/api/v1/keys', { name: role, roles: [role] })).body['token'])
    const [governor, viewer] = [await keyOf('governor'), await keyOf('viewer')]
    const trigger = (id: string, token: string) => call('POST', `/breakers/${id}/trigger`, { reason: 'r' }, token)
    expect((await trigger('tool:http.request', viewer)).status).toBe(403)
    expect(await trigger('tool:http.request', governor)).toMatchObject({
      status: 202,
      body: { id: 'tool:http.request', state: 'open', opened_by: 'key:governor', probe_at: null },
    })
    expect((await trigger('tool:nothing', governor)).status).toBe(404)
    expect((await trigger('http.request', governor)).status).toBe(404)
    expect((await call('GET', '/breakers?state=open', undefined, viewer)).body.items).toHaveLength(1)
    expect((await call('POST', '/breakers/tool:http.request/reset', undefined, governor)).body).toMatchObject({
      state: 'closed',
      closed_by: 'key:governor',
    })
    expect((await call('GET', '/api/v1/breakers/tool:http.request')).body).toMatchObject({ state: 'closed', trips: 1 })
    expect((await call('GET', '/api/v1/breakers/agent:sre')).status).toBe(404)
    expect((await call('POST', '/breakers/agent:sre/reset')).status).toBe(404)
  })

  it('are seen and changed on the command line', async () => {
    const stateward = async (...argv: string[]) => {
      const terminal = fakeTerminal({
        now: new Date().toISOString(),
        env: { STATEWARD_SERVER: api.url, STATEWARD_TOKEN: ADMIN_TOKEN },
      })
      const code = await runProgram(argv, terminal)
      return { code, out: terminal.output(), err: terminal.errors() }
    }
    expect((await stateward('breakers')).out).toBe('no open breakers\n')
    const opened = await stateward('breakers', 'trigger', 'tool:http.request', '--reason', 'no', '--cooldown', '10m')
    expect(opened.out).toMatch(/^breaker tool:http\.request is open; one is tried at .*Z\n$/)
    expect((await stateward('breakers')).out).toMatch(/tool:http\.request +default +open/)
    expect((await stateward('breakers', 'reset', 'tool:http.request')).out).toBe(
      'breaker tool:http.request is closed\n',
    )
    expect((await stateward('breakers', 'trigger', 'tool:http.request')).code).toBe(2)
    expect((await stateward('breakers', 'trigger', 'tool:http.request', '-r', 'x', '--cooldown', 'soon')).code).toBe(2)
  })
})
