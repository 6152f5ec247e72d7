import { EventSourceParser, type StreamMessage } from '../../../sdk/typescript/src/event-source.ts'
import { SHORTEST_MS, SILENCE_MS, waitBefore } from '../../../sdk/typescript/src/reconnection.ts'
import { open, ReadError } from '../api/get.ts'

export type StreamState = 'connecting' | 'live' | 'reconnecting' | 'signed-out'

export interface StreamListener {
  onState(state: StreamState): void
  onMessage(message: StreamMessage, cursor: string): void
}

/**
 * The stream of everything that happens, read until `signal` aborts. It comes back by itself behind the last event it saw:
 * at once, then after 1, 2, 4 … 30 seconds; a connection that is silent for a minute counts as lost, since a live one sends
 * something every half. Nothing is missed while it is away.
 */
export async function followStream(
  cursor: string | null,
  listener: StreamListener,
  signal: AbortSignal,
): Promise<void> {
  let last = cursor
  let attempt = 0
  while (!signal.aborted) {
    listener.onState(attempt === 0 && last === null ? 'connecting' : 'reconnecting')
    const began = performance.now()
    try {
      await readOnce(
        last,
        (message, seen) => {
          last = seen
          if (message !== null) listener.onMessage(message, seen)
        },
        () => listener.onState('live'),
        signal,
      )
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof ReadError && (error.status === 401 || error.status === 403)) {
        listener.onState('signed-out')
        return
      }
    }
    attempt = performance.now() - began > SHORTEST_MS ? 0 : attempt + 1
    if (!signal.aborted) listener.onState('reconnecting')
    await pause(attempt === 0 ? 250 : waitBefore(attempt), signal)
  }
}

async function readOnce(
  cursor: string | null,
  onMessage: (message: StreamMessage | null, cursor: string) => void,
  onOpen: () => void,
  signal: AbortSignal,
): Promise<void> {
  const silence = new AbortController()
  let timer = setTimeout(() => silence.abort(), SILENCE_MS)
  const address = cursor === null || cursor === '' ? '/events/ui' : `/events/ui?cursor=${encodeURIComponent(cursor)}`
  try {
    const response = await open(address, 'text/event-stream', AbortSignal.any([signal, silence.signal]))
    onOpen()
    const parser = new EventSourceParser()
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), SILENCE_MS)
      const messages = parser.push(piece.value)
      if (messages.length === 0) onMessage(null, parser.lastEventId || (cursor ?? ''))
      for (const message of messages) onMessage(message, parser.lastEventId || (cursor ?? ''))
    }
  } finally {
    clearTimeout(timer)
  }
}

/** Ends early when the browser is online again, or the page is looked at again. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      removeEventListener('online', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    addEventListener('online', done)
    signal.addEventListener('abort', done)
  })
}
