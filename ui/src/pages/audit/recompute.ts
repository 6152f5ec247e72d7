import type { LogBatch } from '../../api/reads.ts'

/** What the chain starts from: sha256 of `stateward`. */
const GENESIS = '8cdac79fabb787e8377418807b7ce7132483c1abcd5c27c1bf148dc2ce38fb1e'

export interface Recomputed {
  /** Batches whose hash was computed again here. */
  readonly checked: number
  /** The first number of the batch that is wrong; null = none of them. */
  readonly wrongAt: number | null
}

/**
 * Computes again, in this browser, what the hashes of batches have to be: each is sha256 of the hash before it and its own
 * digest, and its numbers go on where those of the one before end. `batches` come the newest first, as they are listed; of
 * the oldest one nothing is known before it, unless the log begins with it.
 */
export async function recompute(batches: readonly LogBatch[], subtle: SubtleCrypto): Promise<Recomputed> {
  const oldestFirst = [...batches].reverse()
  let checked = 0
  for (const [at, batch] of oldestFirst.entries()) {
    const before = at > 0 ? oldestFirst[at - 1] : batch.first_seq === 1 ? { last_seq: 0, hash: GENESIS } : undefined
    if (before === undefined) continue
    const hash = await subtle.digest('SHA-256', bytesOf(before.hash + batch.digest))
    if (before.last_seq + 1 !== batch.first_seq || textOf(hash) !== batch.hash)
      return { checked, wrongAt: batch.first_seq }
    checked += 1
  }
  return { checked, wrongAt: null }
}

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array((hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)))
}

function textOf(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
