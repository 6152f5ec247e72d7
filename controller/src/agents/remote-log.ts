import { setTimeout as delay } from 'node:timers/promises'
import { fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import { deleteLogRequest, insertLogRequest, readLogPieces } from '../store/queries/host-logs.ts'
import { transact } from '../store/transact.ts'
import type { Fleet } from './fleet.ts'
import type { LogRequest, LogStream } from './log-request.ts'

const LOOK_MS = 200
/** A host that has not answered by then is away. */
const SILENT_MS = 15_000

/**
 * What an instance on a joined host prints: the request is a row that the host is told of, and its answer comes in pieces,
 * through whichever process it reaches. Throws SW_NOT_READY when the host does not answer.
 */
export async function* remoteLog(
  fleet: Fleet,
  instance: { readonly id: string; readonly host: string },
  streams: readonly LogStream[],
  { follow, signal, tailLines }: LogRequest,
): AsyncIterable<string> {
  const { store, clock } = fleet.context
  const id = uuidv7(clock.now().getTime())
  await transact(store, (tx) =>
    insertLogRequest(tx, {
      request_id: id,
      host: instance.host,
      instance_id: instance.id,
      streams,
      tail_lines: tailLines,
      follow,
      at: clock.now(),
    }),
  )
  try {
    let heardAt = clock.monotonicMs()
    while (!signal.aborted) {
      const pieces = await transact(store, (tx) => readLogPieces(tx, id, clock.now()))
      for (const { text } of pieces) if (text !== '') yield text
      if (pieces.at(-1)?.is_last === true) return
      if (pieces.length > 0) heardAt = clock.monotonicMs()
      if (clock.monotonicMs() - heardAt > SILENT_MS)
        throw fail('SW_NOT_READY', `host ${instance.host} does not answer`, {
          remedy: `see \`stateward describe host ${instance.host}\`; the log lies there under instances/${instance.id}`,
        })
      await delay(LOOK_MS, undefined, { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
    }
  } finally {
    await transact(store, (tx) => deleteLogRequest(tx, id))
  }
}
