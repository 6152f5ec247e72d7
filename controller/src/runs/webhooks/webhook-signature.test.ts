import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CompiledWebhook } from '../../blueprints/compiled-plan.ts'
import { isSigned } from './webhook-signature.ts'

const github: CompiledWebhook = {
  name: 'github',
  secretRef: { name: 'hooks', key: 'github' },
  header: 'x-hub-signature-256',
  timestampHeader: null,
  deliveryHeader: 'x-github-delivery',
  replayWindowMs: 300_000,
}
const now = new Date('2026-05-01T00:00:00Z')
const secret = "It's a Secret to Everybody"
const body = Buffer.from('Hello, World!')
const signature = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'

describe('the signature of a delivery', () => {
  it("is GitHub's, with its prefix, bare, or as base64", () => {
    const base64 = Buffer.from(signature, 'hex').toString('base64')
    for (const text of [`sha256=${signature}`, signature, signature.toUpperCase(), base64])
      expect(isSigned(github, secret, { headers: { 'x-hub-signature-256': text }, body }, now)).toBe(true)
  })

  it('is refused when it is missing, malformed, or of another body or key', () => {
    const headers = { 'x-hub-signature-256': `sha256=${signature}` }
    expect(isSigned(github, secret, { headers: {}, body }, now)).toBe(false)
    expect(isSigned(github, secret, { headers: { 'x-hub-signature-256': 'sha256=' }, body }, now)).toBe(false)
    expect(isSigned(github, secret, { headers: { 'x-hub-signature-256': [signature] }, body }, now)).toBe(false)
    expect(isSigned(github, secret, { headers, body: Buffer.from('Hello, World?') }, now)).toBe(false)
    expect(isSigned(github, 'other', { headers, body }, now)).toBe(false)
  })

  it('covers the time where there is a header for it, and the time has to be near', () => {
    const timed = { ...github, header: 'x-signature', timestampHeader: 'x-timestamp' }
    const deliver = (time: string, signed = time) => {
      const hmac = createHmac('sha256', secret).update(`${signed}.`).update(body).digest('hex')
      return isSigned(timed, secret, { headers: { 'x-signature': hmac, 'x-timestamp': time }, body }, now)
    }
    const seconds = now.getTime() / 1000
    expect(deliver(String(seconds))).toBe(true)
    expect(deliver(String(seconds - 300))).toBe(true)
    expect(deliver(String(seconds + 300))).toBe(true)
    expect(deliver(String(seconds - 301))).toBe(false)
    expect(deliver(String(seconds + 301))).toBe(false)
    expect(deliver(String(seconds), String(seconds - 1))).toBe(false)
    expect(deliver('now')).toBe(false)
  })

  it('holds for any body and key, and for no other body', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), fc.string({ minLength: 1 }), (bytes, other, key) => {
        const header = `sha256=${createHmac('sha256', key).update(bytes).digest('hex')}`
        const check = (sent: Uint8Array) =>
          isSigned(github, key, { headers: { 'x-hub-signature-256': header }, body: Buffer.from(sent) }, now)
        expect(check(bytes)).toBe(true)
        expect(check(other)).toBe(Buffer.from(bytes).equals(Buffer.from(other)))
      }),
    )
  })

  it('is believed within the replay window only, whatever the time, and for the time it was made for only', () => {
    const timed = { ...github, header: 'x-signature', timestampHeader: 'x-timestamp' }
    const second = fc.integer({ min: 0, max: 4_000_000_000 })
    const offset = fc.integer({ min: -1000, max: 1000 })
    const window = fc.integer({ min: 0, max: 900 })
    fc.assert(
      fc.property(second, offset, offset, window, (sent, away, moved, windowSeconds) => {
        const webhook = { ...timed, replayWindowMs: windowSeconds * 1000 }
        const hmac = createHmac('sha256', secret).update(`${sent}.`).update(body).digest('hex')
        const check = (timestamp: number) =>
          isSigned(
            webhook,
            secret,
            { headers: { 'x-signature': hmac, 'x-timestamp': String(timestamp) }, body },
            new Date((sent + away) * 1000),
          )
        expect(check(sent)).toBe(Math.abs(away) <= windowSeconds)
        if (moved !== 0 && sent + moved >= 0) expect(check(sent + moved)).toBe(false)
      }),
    )
  })

  it('is never found in anything that is no signature', () => {
    const header = fc.oneof(
      fc.string(),
      fc.string().map((text) => `sha256=${text}`),
      fc.array(fc.string()),
    )
    fc.assert(
      fc.property(header, (text) => {
        expect(isSigned(github, secret, { headers: { 'x-hub-signature-256': text }, body }, now)).toBe(false)
      }),
    )
  })
})
