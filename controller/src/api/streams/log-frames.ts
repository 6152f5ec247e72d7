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

/** The events of a page that a stream carries; null = all. Made once: what it makes of a page is kept under it. */
export type PageFilter = ((event: TailEvent) => boolean) | null

const NOTHING = Buffer.alloc(0)
const made = new WeakMap<readonly TailEvent[], Map<PageFilter, Buffer>>()

/** A whole page of the log, made once for however many streams send it. Empty when nothing of it passes. */
export function pageFrames(events: readonly TailEvent[], filter: PageFilter): Buffer {
  const frames = made.get(events) ?? new Map<PageFilter, Buffer>()
  made.set(events, frames)
  let bytes = frames.get(filter)
  if (bytes === undefined) {
    const passed = filter === null ? events : events.filter(filter)
    bytes = passed.length === 0 ? NOTHING : Buffer.from(passed.map(logFrame).join(''))
    frames.set(filter, bytes)
  }
  return bytes
}
