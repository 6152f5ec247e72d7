import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createLogger, silentLogger } from './logger.ts'

function capture(format: 'json' | 'pretty') {
  const lines: string[] = []
  return { lines, log: createLogger({ level: 'info', format, write: (line) => lines.push(line) }) }
}

describe('the logger', () => {
  it('writes one JSON object a line with a constant message and the fields', () => {
    const { lines, log } = capture('json')
    log.child({ kind: 'Agent', namespace: 'default' }).info({ name: 'sre', correlation_id: 'c1' }, 'spawned')
    expect(lines).toHaveLength(1)
    const record = JSON.parse(lines[0]!)
    expect(record).toMatchObject({
      level: 30,
      msg: 'spawned',
      kind: 'Agent',
      namespace: 'default',
      name: 'sre',
      correlation_id: 'c1',
    })
    expect(record.time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
  })

  it('never writes a secret, whoever logs it', () => {
    const { lines, log } = capture('json')
    log.info({ headers: { authorization: 'Bearer abcdefghijklmnop' } }, 'request')
    expect(lines[0]).not.toContain('abcdefghijklmnop')
  })

  it('says nothing below its level', () => {
    const { lines, log } = capture('json')
    log.debug({}, 'hidden')
    silentLogger().error({}, 'hidden')
    expect(lines).toEqual([])
  })

  it('prints a readable line with the error below it for a terminal', () => {
    const { lines, log } = capture('pretty')
    log.warn({ kind: 'Source', message: 'two words', err: new Error('no route') }, 'fetch failed')
    const plain = stripVTControlCharacters(lines[0]!)
    expect(plain).toMatch(/^\d\d:\d\d:\d\d WARN {2}fetch failed kind=Source message="two words"\n {2}Error: no route\n/)
  })
})
