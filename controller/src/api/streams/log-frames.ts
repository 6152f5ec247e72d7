import type { TailEvent } from './log-tail.ts'

const RESTARTED = 'stateward.bus.restarted'

/** A message of an event stream that is not an event of the log: it has a name, and no number. */
export function namedFrame(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** An event of the log: its number is the id. That the bus restarted is said by its short name, too. */
export function logFrame({ event, json }: TailEvent): string {
  const frame = `id: ${event.seq}\ndata: ${json}\n\n`
  return event.event_name === RESTARTED ? `${frame}event: bus.restarted\ndata: ${json}\n\n` : frame
}

const made = new WeakMap<readonly TailEvent[], Buffer>()

/** A whole page of the log, made once for however many streams send it. */
export function pageFrames(events: readonly TailEvent[]): Buffer {
  let bytes = made.get(events)
  if (bytes === undefined) {
    bytes = Buffer.from(events.map(logFrame).join(''))
    made.set(events, bytes)
  }
  return bytes
}
