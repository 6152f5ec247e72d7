import fc from 'fast-check'
import { expect, it } from 'vitest'
import { EventSourceParser } from './event-source.ts'

it('reads names, ids, data of several lines, comments and keepalives', () => {
  const parser = new EventSourceParser()
  expect(parser.push(':keepalive\n\nid: 7\nevent: note\ndata: a\ndata:  b\n\nretry: 10\nid: 8\n\ndata: c\n\n')).toEqual(
    [
      { event: 'note', data: 'a\n b' },
      { event: 'message', data: 'c' },
    ],
  )
  expect(parser.lastEventId).toBe('8')
})

it('reads the same in pieces of any size, with any ends of lines', () => {
  const text = fc.stringMatching(/^[a-zé{}":, ]{0,12}$/)
  const messages = fc.array(
    fc.record({ event: fc.constantFrom('message', 'x'), lines: fc.array(text, { minLength: 1 }) }),
  )
  fc.assert(
    fc.property(messages, fc.constantFrom('\n', '\r\n'), fc.array(fc.nat(9)), (sent, end, cuts) => {
      const wire = sent
        .map(({ event, lines }) => [`event: ${event}`, ...lines.map((line) => `data: ${line}`), '', ''].join(end))
        .join('')
      const parser = new EventSourceParser()
      const got = []
      let rest = wire
      for (const cut of cuts) {
        got.push(...parser.push(rest.slice(0, cut)))
        rest = rest.slice(cut)
      }
      got.push(...parser.push(rest))
      expect(got).toEqual(sent.map(({ event, lines }) => ({ event, data: lines.join('\n') })))
    }),
  )
})
