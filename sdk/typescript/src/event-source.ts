/** One message of an event stream. */
export interface StreamMessage {
  readonly event: string
  readonly data: string
}

/** Reads the format of server-sent events, in pieces of any size. */
export class EventSourceParser {
  #buffer = ''
  #event = ''
  #data: string[] = []
  /** The last id that was sent: what a reader that comes back says. */
  lastEventId = ''

  /** The messages that are complete with this piece. */
  push(chunk: string): StreamMessage[] {
    this.#buffer += chunk
    const messages: StreamMessage[] = []
    for (let end = this.#buffer.search(/\r\n|\n|\r(?!$)/); end !== -1; end = this.#buffer.search(/\r\n|\n|\r(?!$)/)) {
      const line = this.#buffer.slice(0, end)
      this.#buffer = this.#buffer.slice(end + (this.#buffer.startsWith('\r\n', end) ? 2 : 1))
      const message = this.#line(line)
      if (message !== null) messages.push(message)
    }
    return messages
  }

  #line(line: string): StreamMessage | null {
    if (line === '') {
      const message = this.#data.length === 0 ? null : { event: this.#event || 'message', data: this.#data.join('\n') }
      this.#event = ''
      this.#data = []
      return message
    }
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#event = value
    else if (field === 'id' && !value.includes('\0')) this.lastEventId = value
    return null
  }
}
