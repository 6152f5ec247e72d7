import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestStore, openTestStore, type TestStore } from '../support/database.ts'
import { blueprintOf, functionTools, startRunStack, statusesOf, until, untilEnded } from '../support/run-stack.ts'

describe('a process whose lease is taken', () => {
  let first: TestStore
  beforeAll(async () => {
    first = await createTestStore()
  })
  afterAll(() => first.end())

  it('writes nothing more; its successor goes on behind the last recorded step', async () => {
    const hung = functionTools({
      quick: { run: () => 1 },
      hang: { run: () => new Promise(() => {}), idempotent: true },
    })
    const old = startRunStack(first, hung)
    const chain = blueprintOf('chain', {
      plan: [
        { id: 'a', kind: 'action_task', action: 'quick', with: {} },
        { id: 'b', kind: 'action_task', action: 'hang', with: {} },
        { id: 'c', kind: 'transform', expression: 'steps.a.output + steps.b.output' },
      ],
      outputs: [{ name: 'sum', value: '{{ steps.c.output }}' }],
    })
    const runId = await old.start(chain)
    await until(
      () => statusesOf(first, runId),
      (seen) => seen['b'] === 'running',
    )
    const second = await openTestStore(first.database, { host: 'other-host' })
    const tools = functionTools({ quick: { run: () => 100 }, hang: { run: () => 2, idempotent: true } })
    const heir = startRunStack(second, tools)
    await second.engine`DELETE FROM writers WHERE id = ${first.writer.id}`
    expect(await untilEnded(second, runId)).toMatchObject({ status: 'completed', outputs: { sum: 3 } })
    expect(tools.calls.map(({ operationId }) => operationId)).toEqual([`${runId}/b/1`])
    await old.stop()
    await heir.stop()
    await second.end()
  })
})

describe('a process that stops', () => {
  let store: TestStore
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterAll(() => store.end())

  it('records what ends in time and hands the run on before its next step', async () => {
    let finish: () => void = () => {}
    const tools = functionTools({
      slow: { run: () => new Promise((resolve) => (finish = () => resolve('done'))) },
      next: { run: () => 'next' },
    })
    const stack = startRunStack(store, tools, { stopGraceMs: 5000 })
    const plan = [
      { id: 'slow', kind: 'action_task', action: 'slow', with: {} },
      { id: 'next', kind: 'action_task', action: 'next', with: {} },
    ]
    const runId = await stack.start(blueprintOf('stopping', { plan }))
    await until(
      async () => tools.calls.length,
      (calls) => calls === 1,
    )
    const stopped = stack.stop()
    finish()
    await stopped
    expect(await statusesOf(store, runId)).toEqual({ slow: 'completed' })
    const again = startRunStack(store, tools)
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
    expect(tools.calls.map(({ tool }) => tool)).toEqual(['slow', 'next'])
    await again.stop()
  })
})
