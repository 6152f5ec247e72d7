import { describe, expect, it } from 'vitest'
import type { Json } from '../../lib/json.ts'
import { blackboardOf, useBlackboard } from './blackboard.ts'

const set = (board: ReturnType<typeof blackboardOf>, key: string, value: Json) =>
  useBlackboard(board, 'blackboard.set', { key, value })

describe('the blackboard of a run', () => {
  it('holds what was set last, and says whether there is anything', () => {
    const board = blackboardOf([], [])
    expect(useBlackboard(board, 'blackboard.get', { key: 'a' })).toEqual({ key: 'a', value: null, found: false })
    expect(useBlackboard(board, 'blackboard.get', { key: 'a', default: 7 })).toMatchObject({ value: 7, found: false })
    expect(set(board, 'a', 1)).toEqual({ key: 'a', version: 1 })
    expect(set(board, 'a', { b: [2] })).toEqual({ key: 'a', version: 2 })
    expect(useBlackboard(board, 'blackboard.get', { key: 'a' })).toEqual({ key: 'a', value: { b: [2] }, found: true })
    expect(board.values['constructor']).toBeUndefined()
  })

  it('takes no value, and no sum of values, beyond its limits, and frees what is overwritten', () => {
    const board = blackboardOf([], [])
    const full = expect.objectContaining({ code: 'blackboard_full' })
    expect(() => set(board, 'a', 'x'.repeat(70_000))).toThrow(full as never)
    for (let i = 0; i < 15; i++) set(board, `k${i}`, 'x'.repeat(64_000))
    for (let i = 0; i < 100; i++) set(board, 'k0', 'y'.repeat(64_000))
    set(board, 'k15', 'x'.repeat(64_000))
    expect(() => set(board, 'k16', 'x'.repeat(64_000))).toThrow(full as never)
    const many = blackboardOf([], [])
    for (let i = 0; i < 1000; i++) set(many, `k${i}`, i)
    expect(() => set(many, 'one_more', 1)).toThrow(full as never)
    expect(set(many, 'k5', 'again')).toMatchObject({ version: 1001 })
  })
})
