import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { ModelRequest } from '../../src/models/request.ts'
import { CALL_STATEMENTS } from '../../src/store/calls/statement.ts'
import type { Sql } from '../../src/store/database.ts'
import { verifyLog } from '../../src/store/log.ts'
import { insertAccount } from '../../src/store/queries/budgets.ts'
import type { Store } from '../../src/store/store.ts'
import { declareBudget, standing, usd } from '../support/budget-stack.ts'
import { createTestDatabase, openTestStore, type TestDatabase } from '../support/database.ts'
import { ASKER, ask, type ModelStack, modelStack } from '../support/model-stack.ts'

const signal = new AbortController().signal
/** What is kept for such a call is what it costs: it does not say what it used. */
const DEAR = {
  type: 'scripted' as const,
  pricing: { inputPerMTok: '1000', outputPerMTok: '1000' },
  models: [{ name: 'm', maxTokens: 10 }],
  script: [{ reply: { text: 'hi', reportsNoUsage: true } }],
}

describe('calls of models that processes begin and end in batches', () => {
  let database: TestDatabase
  const stores: Store[] = []
  const stacks: ModelStack[] = []
  beforeAll(async () => {
    database = await createTestDatabase()
    for (let i = 0; i < 3; i++) stores.push(await openTestStore(database, { host: `host-${i}` }))
    for (const store of stores) stacks.push(modelStack(store))
  })
  afterAll(async () => {
    for (const store of stores) await store.end()
    await database.drop()
  })

  const inNamespace = (namespace: string, more: Partial<ModelRequest> = {}) =>
    ask('x', { asker: { ...ASKER, namespace, agent: null, actor: 'user:ada' }, ...more })
  const spentIn = async (namespace: string) => {
    const [row] = await stores[0]!.engine<{ spent: string; calls: number }[]>`
      SELECT coalesce(sum(amount), 0)::text AS spent, count(*)::integer AS calls FROM ledger_entries WHERE namespace = ${namespace}`
    return { spent: BigInt(row!.spent), calls: row!.calls }
  }

  it('keep the money exactly: as many are answered as there is money for, whoever asks', async () => {
    const scope = { kind: 'Environment' as const, name: 'exact' }
    const roomy = await declareBudget(stores[0]!, {
      name: 'roomy',
      namespace: 'exact',
      scope,
      max: '1000',
      thresholds: [],
    })
    for (const stack of stacks) stack.provider('dear', DEAR)
    const { costNanoUsd } = await stacks[0]!.gateway.invoke(inNamespace('exact'), { signal })
    const most = `${(Number(costNanoUsd) * 41) / 1e9}`
    const tight = await declareBudget(stores[0]!, {
      name: 'tight',
      namespace: 'exact',
      scope,
      max: most,
      thresholds: [50],
    })
    const ends = await Promise.allSettled(
      stacks.flatMap((stack) =>
        Array.from({ length: 40 }, () => stack.gateway.invoke(inNamespace('exact'), { signal })),
      ),
    )
    const answered = ends.filter(({ status }) => status === 'fulfilled')
    const reasons = ends.flatMap((end) => (end.status === 'rejected' ? [(end.reason as { ref?: string }).ref] : []))
    expect(answered).toHaveLength(40)
    expect(new Set(reasons)).toEqual(new Set(['SW_OVER_BUDGET']))
    expect(await standing(stores[0]!, tight)).toEqual({ used: usd(most), reserved: 0n })
    expect(await standing(stores[0]!, roomy)).toEqual({ used: usd(most), reserved: 0n })
    expect(await spentIn('exact')).toEqual({ spent: usd(most), calls: 41 })
    const [told] = await stores[0]!.engine<{ count: number }[]>`
      SELECT count(*)::integer AS count FROM events
      WHERE event_name = 'stateward.budget.threshold_reached' AND data->>'account' = ${tight}`
    expect(told!.count).toBe(1)
  })

  it('count against a budget that is declared meanwhile', async () => {
    const scope = { kind: 'Environment' as const, name: 'late' }
    await declareBudget(stores[0]!, { name: 'first', namespace: 'late', scope, max: '1000', thresholds: [] })
    for (const stack of stacks) stack.provider('dear', DEAR)
    let declared: Promise<string> | null = null
    await Promise.all(
      stacks.map(async (stack, i) => {
        for (let n = 0; n < 30; n++) {
          if (i === 0 && n === 10)
            declared = declareBudget(stores[1]!, {
              name: 'second',
              namespace: 'late',
              scope,
              max: '900',
              thresholds: [],
            })
          await stack.gateway.invoke(inNamespace('late'), { signal })
        }
      }),
    )
    const { spent, calls } = await spentIn('late')
    expect(calls).toBe(90)
    expect(await standing(stores[0]!, await declared!)).toEqual({ used: spent, reserved: 0n })
  })

  it('count against the account of their run, also when a step of it opens that between two calls', async () => {
    const scope = { kind: 'Environment' as const, name: 'runs' }
    await declareBudget(stores[0]!, { name: 'all', namespace: 'runs', scope, max: '1000', thresholds: [] })
    const run = { id: uuidv7(Date.now()), name: 'fix-k3q9zt' }
    const asker = { ...ASKER, namespace: 'runs', agent: null, run }
    const once = async () => (await stacks[0]!.gateway.invoke(ask('x', { asker }), { signal })).costNanoUsd
    await once()
    const account = `Run/${run.id}`
    await stores[1]!.engine.begin((tx) =>
      insertAccount(tx, {
        ...{ account, rank: 5, namespace: 'runs', name: run.name, scope_kind: 'Run', scope_name: run.id },
        ...{ max_amount: usd('10'), period: 'total', thresholds: [], action: 'Kill', window_start: new Date(0) },
        ...{ window_end: null, used: 0n, reserved: 0n, told: 0, paced_from: null, paced_level: null },
        ...{ exhausted_at: null, proposal: null, version: 0 },
      }),
    )
    const cost = await once()
    expect(await standing(stores[0]!, account)).toEqual({ used: cost, reserved: 0n })
  })

  it('are no more a minute than their provider takes, whoever asks', async () => {
    const limited = { ...DEAR, pricing: { inputPerMTok: 0, outputPerMTok: 0 }, rateLimit: { requestsPerMinute: 20 } }
    for (const stack of stacks) stack.provider('few', limited)
    const stop = new AbortController()
    const asked = stacks.flatMap((stack) =>
      Array.from({ length: 20 }, () =>
        stack.gateway.invoke(inNamespace('minute', { provider: 'few' }), { signal: stop.signal }),
      ),
    )
    const ended = Promise.allSettled(asked)
    const count = async () => {
      const [row] = await stores[0]!.engine<{ count: number }[]>`
        SELECT count(*)::integer AS count FROM model_calls WHERE namespace = 'minute' AND state = 'completed'`
      return row!.count
    }
    await expect.poll(count, { timeout: 20_000 }).toBe(20)
    stop.abort(new Error('that is enough'))
    expect((await ended).filter(({ status }) => status === 'fulfilled')).toHaveLength(20)
    expect(await count()).toBe(20)
  })

  it('leave a log that fits together, and every call with one end', async () => {
    for (const stack of stacks) await stack.gateway.settled()
    expect((await verifyLog(stores[0]!.engine)).ok).toBe(true)
    const [row] = await stores[0]!.engine<{ calls: number; ends: number; begun: number }[]>`
      SELECT count(*) FILTER (WHERE state = 'completed')::integer AS calls, count(*) FILTER (WHERE state = 'begun')::integer AS begun,
             (SELECT count(*)::integer FROM events WHERE event_name = 'stateward.model.call.completed') AS ends
      FROM model_calls`
    expect(row).toMatchObject({ begun: 0, ends: row!.calls })
  })

  it('never scan a table', async () => {
    const session = (await stores[0]!.engine.reserve()) as Sql & { release: () => void }
    const values = ["'[]'", "'[]'", "'[]'", ...Array(12).fill("'{}'")]
    const money = ['1', "'[]'", "'{}'", "'[]'", "'{}'", "'[]'"]
    try {
      for (const [i, text] of CALL_STATEMENTS.entries()) {
        await session.unsafe(`PREPARE calls${i} AS ${text}`)
        const given = [`'${stores[0]!.writer.id}'`, '1', '0', "''", "''", ...values, ...(i === 0 ? [] : money)].join(
          ', ',
        )
        const rows = await session.unsafe<{ 'QUERY PLAN': string }[]>(`EXPLAIN EXECUTE calls${i} (${given})`)
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
        expect(plan).toContain('Index Scan using writers_pkey')
        expect(plan).not.toMatch(/Seq Scan|Hash Join|Merge Join|Bitmap Index Scan on (?!\w+_pkey)/)
      }
    } finally {
      session.release()
    }
  })

  it('are not written once another process took the lease', async () => {
    await stores[0]!.engine`DELETE FROM writers WHERE id = ${stores[2]!.writer.id}`
    stacks[2]!.provider('free', { type: 'scripted', models: [{ name: 'm' }], script: DEAR.script })
    const request = inNamespace('fenced', { provider: 'free', model: 'm' })
    await expect(stacks[2]!.gateway.invoke(request, { signal })).rejects.toMatchObject({ ref: 'SW_LEASE_LOST' })
    const [row] = await stores[0]!.engine<{ count: number }[]>`
      SELECT count(*)::integer AS count FROM model_calls WHERE namespace = 'fenced'`
    expect(row!.count).toBe(0)
  })
})
