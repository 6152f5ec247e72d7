import { isDeepStrictEqual } from 'node:util'
import { loadAll } from 'js-yaml'
import { isMap, isScalar, type Pair, type ParsedNode, parseAllDocuments, type YAMLMap } from 'yaml'
import { fail } from '../lib/error-catalogue.ts'
import { isObject, type JsonObject, valueAt } from '../lib/json.ts'

/** A text is written as YAML's double-quoted style writes it, unless it is one plain word; a map on one line. */
export type FieldValue = boolean | number | string | JsonObject

/**
 * Sets (or, with `undefined`, removes) one field of one document of a file. Every other byte stays as it was:
 * comments, quotes and layout are the author's. The result is read again by the parser that decides, and must differ in
 * that field only. Throws SW_CONFLICT when the file cannot be edited that way.
 */
export function editManifest(
  text: string,
  document: number,
  keys: readonly string[],
  value: FieldValue | undefined,
): string {
  const parsed = parseAllDocuments(text, { keepSourceTokens: true })
  const target = 'empty' in parsed ? undefined : parsed[document]
  if (target === undefined) throw fail('SW_CONFLICT', `the file has no document ${document}`)
  const parent = target.getIn(keys.slice(0, -1), true)
  if (!isMap(parent)) throw cannot(keys)
  const edited = applied(text, parent as YAMLMap.Parsed, keys, value)
  assertOnlyThatChanged(text, edited, document, keys, value)
  return edited
}

function applied(text: string, parent: YAMLMap.Parsed, keys: readonly string[], value: FieldValue | undefined): string {
  const key = keys.at(-1)!
  const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key)
  if (pair === undefined) return value === undefined ? text : inserted(text, parent, `${key}: ${written(value)}`, keys)
  const range = pair.value?.range
  if (range == null) throw cannot(keys)
  if (value !== undefined) {
    // A block map ends with its last line break, which stays.
    const end = range[0] + text.slice(range[0], range[1]).trimEnd().length
    return text.slice(0, range[0]) + written(value) + text.slice(end)
  }
  return removed(text, parent, pair, keys)
}

/** Words that YAML reads as something else than text. */
const NOT_TEXT = /^(?:true|false|null|yes|no|on|off|y|n)$/i

/** JSON is YAML, too. */
function written(value: FieldValue): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  return /^[A-Za-z][A-Za-z0-9_-]*$/.test(value) && !NOT_TEXT.test(value) ? value : JSON.stringify(value)
}

/** A new last line of a block map, or a new last member of a flow map. */
function inserted(text: string, parent: YAMLMap.Parsed, member: string, keys: readonly string[]): string {
  if (parent.flow === true) {
    const end = text.lastIndexOf('}', parent.range[1])
    const before = text.slice(0, end).trimEnd()
    const comma = before.endsWith('{') ? '' : ', '
    return `${before}${comma}${member}${text.slice(before.length, end)}${text.slice(end)}`
  }
  const first = parent.items[0]?.key as ParsedNode | undefined
  const last = parent.items.at(-1)?.value ?? parent.items.at(-1)?.key
  if (first?.range == null || last?.range == null) throw cannot(keys)
  const indent = text.slice(text.lastIndexOf('\n', first.range[0]) + 1, first.range[0])
  if (indent.trim() !== '') throw cannot(keys)
  const lineEnd = text.indexOf('\n', Math.max(last.range[1] - 1, 0))
  const at = lineEnd === -1 ? text.length : lineEnd
  return `${text.slice(0, at)}\n${indent}${member}${text.slice(at)}`
}

/** Takes out the whole line of a member of a block map. */
function removed(
  text: string,
  parent: YAMLMap.Parsed,
  pair: Pair<ParsedNode, ParsedNode | null>,
  keys: readonly string[],
): string {
  if (parent.flow === true || pair.value?.range == null) throw cannot(keys)
  const start = text.lastIndexOf('\n', pair.key.range[0]) + 1
  const lineEnd = text.indexOf('\n', pair.value.range[1])
  return text.slice(0, start) + (lineEnd === -1 ? '' : text.slice(lineEnd + 1))
}

function assertOnlyThatChanged(
  before: string,
  after: string,
  document: number,
  keys: readonly string[],
  value: unknown,
): void {
  const old = loadAll(before)
  const now = loadAll(after)
  const same = old.length === now.length && old.every((one, i) => i === document || isDeepStrictEqual(one, now[i]))
  const rest = isDeepStrictEqual(without(old[document], keys), without(now[document], keys))
  if (!same || !rest || !isDeepStrictEqual(valueAt(now[document], `/${keys.join('/')}`), value)) throw cannot(keys)
}

/** A copy without the field, and without parents that are left empty by that. */
function without(value: unknown, keys: readonly string[]): unknown {
  const [key, ...rest] = keys
  if (key === undefined || !isObject(value)) return value
  const { [key]: member, ...others } = value
  if (rest.length === 0 || member === undefined) return others
  const kept = without(member, rest)
  return isObject(kept) && Object.keys(kept).length === 0 ? others : { ...others, [key]: kept }
}

function cannot(keys: readonly string[]): Error {
  return fail('SW_CONFLICT', `/${keys.join('/')} cannot be set without changing more of the file`, {
    remedy: 'edit the file by hand and push it',
  })
}
