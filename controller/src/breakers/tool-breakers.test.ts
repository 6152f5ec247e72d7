import { expect, test } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import type { Store } from '../store/store.ts'
import { ToolBreakers } from './tool-breakers.ts'

const away = async (): Promise<never> => {
  throw new Error('the database system is in recovery mode')
}
const log = { info() {}, warn() {}, error() {}, debug() {} }
const store = { clock: systemClock, engine: away, log } as unknown as Store
const called = (run: () => Promise<string>) => ({
  namespace: 'default',
  tool: 'act',
  timeoutMs: 1000,
  settings: { failures: 1, cooldownSeconds: 1 },
  run,
  counts: () => true,
})

test('a call does not fail because the database is away: what the tool returns counts', async () => {
  await expect(new ToolBreakers(store).call(called(async () => 'done'))).resolves.toBe('done')
})

test('nor does its own failure change into another one', async () => {
  const failing = async () => {
    throw new Error('no luck')
  }
  await expect(new ToolBreakers(store).call(called(failing))).rejects.toThrow('no luck')
})
