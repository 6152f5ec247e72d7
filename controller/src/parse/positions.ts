import { EVENT_ID, getScalarValue, parseEvents, YAMLException } from 'js-yaml'
import { pointerKeys } from '../lib/json.ts'
import { splitDocuments } from './yaml.ts'

/** Line and column count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

type YamlEvent = ReturnType<typeof parseEvents>[number]

/** The events of one piece of a file that can be read. */
interface Part {
  readonly events: readonly YamlEvent[]
  readonly text: string
  /** Where the piece starts in the file. */
  readonly offset: number
}

/** Where everything stands in one text. */
interface TextIndex {
  readonly text: string
  /** By number of the document: its piece, and the index of the event after its start. */
  readonly documents: ReadonlyMap<number, { readonly part: Part; readonly start: number }>
  /** Offsets at which lines begin. */
  readonly lines: readonly number[]
}

/**
 * Finds where a JSON pointer stands in a file. Positions cost as much as parsing, so they are looked up only for the
 * documents that have something to report. A pointer whose end is missing answers with the nearest parent that is there.
 */
export function positionOf(text: string, document: number, pointer: string, offset = 0): Position {
  const index = indexOf(text)
  const found = findValue(index, document, pointer)
  return lineAndColumn(index, found === undefined ? 0 : found.exact ? found.at + offset : found.at)
}

/** Position of the key of a pointer's last part (for "unknown field"), else that of its value. */
export function keyPositionOf(text: string, document: number, pointer: string): Position {
  const index = indexOf(text)
  const found = findValue(index, document, pointer)
  return lineAndColumn(index, found?.key ?? found?.at ?? 0)
}

function lineAndColumn({ lines }: TextIndex, at: number): Position {
  let low = 0
  for (let high = lines.length - 1; low < high; ) {
    const middle = Math.ceil((low + high) / 2)
    if (lines[middle]! <= at) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: at - lines[low]! + 1 }
}

let latest: TextIndex | undefined

/** Kept for the text asked last: a file with many problems is read once. */
function indexOf(text: string): TextIndex {
  if (latest?.text !== text) latest = makeIndex(text)
  return latest
}

function makeIndex(text: string): TextIndex {
  const lines = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines.push(at + 1)
  const documents = new Map<number, { part: Part; start: number }>()
  const add = (part: Part, first: number) => {
    let next = first
    for (const [i, event] of part.events.entries())
      if (event.type === EVENT_ID.DOCUMENT) documents.set(next++, { part, start: i + 1 })
    return next
  }
  const whole = readEvents(text)
  if (whole !== null) add({ events: whole, text, offset: 0 }, 0)
  else {
    let next = 0
    for (const chunk of splitDocuments(text)) {
      const events = readEvents(chunk.text)
      next = events === null ? next + 1 : add({ events, text: chunk.text, offset: lines[chunk.firstLine]! }, next)
    }
  }
  return { text, documents, lines }
}

function readEvents(text: string): YamlEvent[] | null {
  try {
    return parseEvents(text, {})
  } catch (error) {
    if (error instanceof YAMLException) return null
    throw error
  }
}

interface Found {
  readonly at: number
  readonly key: number | undefined
  readonly exact: boolean
}

function findValue(index: TextIndex, document: number, pointer: string): Found | undefined {
  const place = index.documents.get(document)
  if (place === undefined) return undefined
  const { part, start } = place
  return walk(part.events, { index: start }, part.text, pointerKeys(pointer), part.offset)
}

function startOf(event: YamlEvent): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart
  if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) return event.start
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart
  return 0
}

/** Walks from the node at the cursor along the keys. */
function walk(
  events: readonly YamlEvent[],
  cursor: { index: number },
  text: string,
  keys: readonly string[],
  offset: number,
): Found | undefined {
  let key: number | undefined
  for (let depth = 0; ; depth++) {
    const node = events[cursor.index]
    if (node === undefined) return undefined
    const here: Found = { at: startOf(node) + offset, key, exact: depth === keys.length }
    if (depth === keys.length) return here
    cursor.index++
    const wanted = keys[depth]!
    if (node.type === EVENT_ID.MAPPING) {
      const at = seekKey(events, cursor, text, wanted)
      if (at === undefined) return here
      key = at + offset
    } else if (node.type === EVENT_ID.SEQUENCE) {
      if (!seekItem(events, cursor, Number(wanted))) return here
      key = undefined
    } else return here
  }
}

/** Leaves the cursor at the value of a key; answers with the key's own offset. */
function seekKey(
  events: readonly YamlEvent[],
  cursor: { index: number },
  text: string,
  wanted: string,
): number | undefined {
  for (;;) {
    const event = events[cursor.index]
    if (event === undefined || event.type === EVENT_ID.POP) return undefined
    if (event.type === EVENT_ID.SCALAR && getScalarValue(text, event) === wanted) {
      cursor.index++
      return event.valueStart
    }
    skipNode(events, cursor)
    skipNode(events, cursor)
  }
}

function seekItem(events: readonly YamlEvent[], cursor: { index: number }, wanted: number): boolean {
  for (let item = 0; item < wanted; item++) {
    const event = events[cursor.index]
    if (event === undefined || event.type === EVENT_ID.POP) return false
    skipNode(events, cursor)
  }
  const event = events[cursor.index]
  return event !== undefined && event.type !== EVENT_ID.POP
}

function skipNode(events: readonly YamlEvent[], cursor: { index: number }): void {
  const event = events[cursor.index++]
  if (event === undefined || (event.type !== EVENT_ID.MAPPING && event.type !== EVENT_ID.SEQUENCE)) return
  for (let open = 1; open > 0; ) {
    const next = events[cursor.index++]
    if (next === undefined) return
    if (next.type === EVENT_ID.MAPPING || next.type === EVENT_ID.SEQUENCE) open++
    else if (next.type === EVENT_ID.POP) open--
  }
}
