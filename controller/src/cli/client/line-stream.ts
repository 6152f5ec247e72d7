/** Splits a stream of bytes into lines; the last one counts without its line end, too. */
export async function* splitLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop()!
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}

/** One event of a `text/event-stream`. */
export interface StreamedEvent {
  readonly id: string | null
  readonly event: string
  readonly data: string
}

/**
 * Reads server-sent events from lines; comments (keep-alives) are passed over. A frame that only moves the id comes as
 * event `id` without data.
 */
export async function* serverSentEvents(lines: AsyncIterable<string>): AsyncGenerator<StreamedEvent> {
  let id: string | null = null
  let moved = false
  let event = 'message'
  let data: string[] = []
  for await (const line of lines) {
    if (line === '') {
      if (data.length > 0) yield { id, event, data: data.join('\n') }
      else if (moved) yield { id, event: 'id', data: '' }
      moved = false
      event = 'message'
      data = []
      continue
    }
    const colon = line.indexOf(':')
    if (colon === 0) continue
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'id') {
      id = value
      moved = true
    } else if (field === 'event') event = value
    else if (field === 'data') data.push(value)
  }
}
