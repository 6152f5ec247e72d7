import { createHash } from 'node:crypto'
import type { Executor } from './database.ts'
import { batchDigest, eventDigest } from './log-digest.ts'
import { type EventRow, logHead } from './queries/events.ts'
import { type BatchRow, firstHeldSeq, readBatches, readVerifiable } from './queries/log-batches.ts'

/** What the chain starts from; the first migration writes it into `log_head`. */
const GENESIS = createHash('sha256').update('stateward').digest()

export type LogFault = 'row_altered' | 'row_missing' | 'batch_altered' | 'chain_broken' | 'head_altered'

export type LogVerdict =
  | {
      readonly ok: true
      readonly batches: number
      /** Rows that were compared. */
      readonly events: number
      /** Events below it were dropped by retention: of them only the chain of batches is left. */
      readonly firstHeld: number
      readonly seq: number
      readonly hash: string
    }
  | {
      readonly ok: false
      readonly fault: LogFault
      /** The first number that is wrong; for a fault of a batch, its first number. */
      readonly seq: number
      readonly message: string
    }

type Fault = Extract<LogVerdict, { ok: false }>

export interface VerifyOptions {
  /** Told how far it is, after each page of batches. */
  readonly onProgress?: (progress: { readonly seq: number; readonly of: number }) => void
  /** Throws its reason when it is aborted. */
  readonly signal?: AbortSignal
}

/**
 * Recomputes the chain from its start to the head it finds: every batch's hash, and every row of events that retention
 * has not dropped. Names the first row that was altered or is missing. Reads in pages; writes nothing.
 */
export async function verifyLog(sql: Executor, options: VerifyOptions = {}): Promise<LogVerdict> {
  for (;;) {
    const held = await firstHeldSeq(sql)
    const verdict = await verifyFrom(sql, held, options)
    // Retention may drop a partition while it is read: what is missing then was not taken away by anybody else.
    if (verdict.ok || verdict.fault !== 'row_missing' || (await firstHeldSeq(sql)) <= held) return verdict
  }
}

async function verifyFrom(sql: Executor, held: number, options: VerifyOptions): Promise<LogVerdict> {
  const head = await logHead(sql)
  const rows = new RowReader(sql, held)
  let previous: Buffer = GENESIS
  let seq = 0
  let batches = 0
  let events = 0
  for await (const batch of eachBatch(sql, head.seq, options)) {
    const fault =
      checkChain(batch, previous, seq) ?? (batch.last_seq < held ? null : await checkRows(batch, held, rows))
    if (fault !== null) return fault
    previous = batch.hash
    seq = batch.last_seq
    batches += 1
    events += Math.max(0, batch.last_seq - Math.max(batch.first_seq, held) + 1)
  }
  if (seq !== head.seq || previous.toString('hex') !== head.hash) {
    return wrong('head_altered', seq + 1, `the log's head is ${head.seq}, its batches end at ${seq}`)
  }
  return { ok: true, batches, events, firstHeld: held, seq, hash: head.hash }
}

function checkChain(batch: BatchRow, previous: Buffer, lastSeq: number): Fault | null {
  if (batch.first_seq !== lastSeq + 1) {
    return wrong('chain_broken', lastSeq + 1, `a batch is missing: after ${lastSeq} comes ${batch.first_seq}`)
  }
  const hash = createHash('sha256').update(previous).update(batch.digest).digest()
  if (hash.equals(batch.hash)) return null
  return wrong(
    'chain_broken',
    batch.first_seq,
    `the hash of batch ${batch.first_seq}–${batch.last_seq} does not follow from the one before`,
  )
}

async function checkRows(batch: BatchRow, held: number, rows: RowReader): Promise<Fault | null> {
  const digests: Buffer[] = []
  for (let seq = Math.max(batch.first_seq, held); seq <= batch.last_seq; seq++) {
    const row = await rows.next()
    if (row === null || row.seq !== seq) return wrong('row_missing', seq, `event ${seq} is missing`)
    const digest = eventDigest({
      ...row,
      resource: row.resource_type === null ? null : { type: row.resource_type, id: row.resource_id ?? '' },
    })
    if (!digest.equals(row.digest)) return wrong('row_altered', seq, `event ${seq} is not what was written`)
    digests.push(digest)
  }
  // Rows of a batch that began in a dropped partition stand on their own digests.
  if (batch.first_seq < held || batchDigest(digests).equals(batch.digest)) return null
  return wrong(
    'batch_altered',
    batch.first_seq,
    `a row of ${batch.first_seq}–${batch.last_seq} was altered together with its digest`,
  )
}

function wrong(fault: LogFault, seq: number, message: string): Fault {
  return { ok: false, fault, seq, message }
}

async function* eachBatch(sql: Executor, upto: number, options: VerifyOptions): AsyncGenerator<BatchRow> {
  let after = 0
  for (;;) {
    options.signal?.throwIfAborted()
    const page = await readBatches(sql, { after, upto, limit: 1000 })
    yield* page
    if (page.length === 0) return
    after = page.at(-1)!.last_seq
    options.onProgress?.({ seq: after, of: upto })
  }
}

/** Reads rows in order, a page ahead. */
class RowReader {
  readonly #sql: Executor
  #page: (EventRow & { digest: Buffer })[] = []
  #at = 0
  #after: number

  constructor(sql: Executor, first: number) {
    this.#sql = sql
    this.#after = first - 1
  }

  async next(): Promise<(EventRow & { digest: Buffer }) | null> {
    if (this.#at === this.#page.length) {
      this.#page = await readVerifiable(this.#sql, { after: this.#after, limit: 5000 })
      this.#at = 0
      this.#after = this.#page.at(-1)?.seq ?? this.#after
    }
    return this.#page[this.#at++] ?? null
  }
}
