import { EVENT_ID, getScalarValue, parseEvents, YAMLException } from 'js-yaml'
import { pointerKeys } from '../lib/json.ts'
import { splitDocuments } from './yaml.ts'

/** Line and column count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

type YamlEvent = ReturnType<typeof parseEvents>[number]

/**
 * Finds where a JSON pointer stands in a file. Positions cost as much as parsing, so they are looked up only for the
 * documents that have something to report. A pointer whose end is missing answers with the nearest parent that is there.
 */
export function positionOf(text: string, document: number, pointer: string, offset = 0): Position {
  const found = findValue(text, document, pointer)
  return lineAndColumn(text, found === undefined ? 0 : found.exact ? found.at + offset : found.at)
}

/** Position of the key of a pointer's last part (for "unknown field"), else that of its value. */
export function keyPositionOf(text: string, document: number, pointer: string): Position {
  const found = findValue(text, document, pointer)
  return lineAndColumn(text, found?.key ?? found?.at ?? 0)
}

function lineAndColumn(text: string, at: number): Position {
  const before = text.slice(0, at)
  const lastBreak = before.lastIndexOf('\n')
  return { line: before.split('\n').length, column: at - lastBreak }
}

interface Found {
  readonly at: number
  readonly key: number | undefined
  readonly exact: boolean
}

function findValue(text: string, document: number, pointer: string): Found | undefined {
  for (const part of eventParts(text)) {
    const cursor = { index: 0 }
    let index = part.firstDocument
    while (cursor.index < part.events.length) {
      const event = part.events[cursor.index]!
      cursor.index++
      if (event.type !== EVENT_ID.DOCUMENT) continue
      if (index === document) return walk(part.events, cursor, part.text, pointerKeys(pointer), part.offset)
      index++
    }
  }
  return undefined
}

/** The events of the whole file, or of each document that can be read when one of them cannot. */
function* eventParts(text: string): Iterable<{ events: YamlEvent[]; text: string; offset: number; firstDocument: number }> {
  try {
    yield { events: parseEvents(text, {}), text, offset: 0, firstDocument: 0 }
    return
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
  }
  let document = 0
  const lineStarts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1)
  for (const chunk of splitDocuments(text)) {
    try {
      const events = parseEvents(chunk.text, {})
      yield { events, text: chunk.text, offset: lineStarts[chunk.firstLine] ?? 0, firstDocument: document }
      document += events.filter((event) => event.type === EVENT_ID.DOCUMENT).length
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error
      document++
    }
  }
}

function startOf(event: YamlEvent): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart
  if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) return event.start
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart
  return 0
}

/** Walks from the node at the cursor along the keys. */
function walk(events: YamlEvent[], cursor: { index: number }, text: string, keys: readonly string[], offset: number): Found | undefined {
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
    } else return here
  }
}

/** Leaves the cursor at the value of a key; answers with the key's own offset. */
function seekKey(events: YamlEvent[], cursor: { index: number }, text: string, wanted: string): number | undefined {
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

function seekItem(events: YamlEvent[], cursor: { index: number }, wanted: number): boolean {
  for (let item = 0; item < wanted; item++) {
    const event = events[cursor.index]
    if (event === undefined || event.type === EVENT_ID.POP) return false
    skipNode(events, cursor)
  }
  const event = events[cursor.index]
  return event !== undefined && event.type !== EVENT_ID.POP
}

function skipNode(events: YamlEvent[], cursor: { index: number }): void {
  const event = events[cursor.index++]
  if (event === undefined || (event.type !== EVENT_ID.MAPPING && event.type !== EVENT_ID.SEQUENCE)) return
  for (let open = 1; open > 0; ) {
    const next = events[cursor.index++]
    if (next === undefined) return
    if (next.type === EVENT_ID.MAPPING || next.type === EVENT_ID.SEQUENCE) open++
    else if (next.type === EVENT_ID.POP) open--
  }
}
