import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { KeyedSerial } from './keyed-serial.ts'

describe('work by key', () => {
  test('runs one after the other for one key, side by side for others', async () => {
    const serial = new KeyedSerial()
    const seen: string[] = []
    const work = (name: string) => async () => {
      seen.push(`${name} begins`)
      await turn()
      seen.push(`${name} ends`)
      return name
    }
    const results = await Promise.all([
      serial.run('a', work('a1')),
      serial.run('a', work('a2')),
      serial.run('b', work('b1')),
    ])
    expect(results).toEqual(['a1', 'a2', 'b1'])
    expect(seen.indexOf('a2 begins')).toBeGreaterThan(seen.indexOf('a1 ends'))
    expect(seen.indexOf('b1 begins')).toBeLessThan(seen.indexOf('a1 ends'))
  })

  test('goes on after a failure, which only its caller sees', async () => {
    const serial = new KeyedSerial()
    const failing = serial.run('a', () => Promise.reject(new Error('no')))
    const next = serial.run('a', async () => 'yes')
    await expect(failing).rejects.toThrow('no')
    await expect(next).resolves.toBe('yes')
    await serial.idle()
  })
})
