import { describe, expect, it } from 'vitest'
import type { LogBatch } from '../../api/reads.ts'
import { recompute } from './recompute.ts'

const { subtle } = globalThis.crypto
const encoder = new TextEncoder()

const sha256 = async (bytes: Uint8Array<ArrayBuffer>) => new Uint8Array(await subtle.digest('SHA-256', bytes))
const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** A log of so many batches of two events, the newest first. */
async function logOf(count: number): Promise<LogBatch[]> {
  const batches: LogBatch[] = []
  let hash = await sha256(encoder.encode('stateward'))
  for (let n = 1; n <= count; n++) {
    const digest = await sha256(encoder.encode(`batch ${n}`))
    hash = await sha256(new Uint8Array([...hash, ...digest]))
    const numbers = { n, first_seq: n * 2 - 1, last_seq: n * 2 }
    batches.unshift({ writer: 'w', ...numbers, digest: hex(digest), hash: hex(hash) })
  }
  return batches
}

describe('the chain of the log', () => {
  it('holds from its beginning, and from anywhere within as far as it is known', async () => {
    const log = await logOf(5)
    expect(await recompute(log, subtle)).toEqual({ checked: 5, wrongAt: null })
    expect(await recompute(log.slice(0, 3), subtle)).toEqual({ checked: 2, wrongAt: null })
    expect(await recompute([], subtle)).toEqual({ checked: 0, wrongAt: null })
  })

  it('tells where it was altered, and where a batch is missing', async () => {
    const log = await logOf(5)
    const altered = log.map((batch) =>
      batch.n === 3 ? { ...batch, digest: batch.digest.replace(/^../, 'zz') } : batch,
    )
    expect(await recompute(altered, subtle)).toMatchObject({ wrongAt: 5 })
    const missing = log.filter(({ n }) => n !== 3)
    expect(await recompute(missing, subtle)).toMatchObject({ wrongAt: 7 })
  })
})
