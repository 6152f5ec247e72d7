import { type LineReader, openLines } from './http-lines.ts'

export interface SseMessage {
  /** Null: it has none, the one before counts. */
  readonly id: string | null
  readonly event: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  readonly data: any
}

export interface SseReader {
  readonly status: number
  /** The next message with data; null at the end. */
  next(): Promise<SseMessage | null>
  close(): void
}

/** A stream of server-sent events, message by message. */
export async function openSse(url: string, headers: Record<string, string> = {}): Promise<SseReader> {
  const lines: LineReader = await openLines(url, headers)
  return {
    status: lines.status,
    close: () => lines.close(),
    async next() {
      let id: string | null = null
      let event = 'message'
      for (;;) {
        const line = await lines.next()
        if (line === null) return null
        if (line.startsWith('id: ')) id = line.slice(4)
        if (line.startsWith('event: ')) event = line.slice(7)
        if (line.startsWith('retry: ')) id = null
        if (line === '') event = 'message'
        // What hosts and agents use comes between, at any time.
        if (!line.startsWith('data: ') || event === 'metrics') continue
        return { id, event, data: JSON.parse(line.slice(6)) }
      }
    },
  }
}
