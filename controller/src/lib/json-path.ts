import { isObject } from './json.ts'

/**
 * The part of Kubernetes' JSONPath that printer columns and `-o` use: `.a.b`, `['a.b']`, `\.` in names, `[0]`, `[-1]`,
 * `[*]`, `.*` and filters `[?(@.type=="Ready")]` with `==` and `!=`. With or without the outer braces.
 */
type Segment =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'filter'; readonly path: readonly Segment[]; readonly negated: boolean; readonly value: unknown }

const compiled = new Map<string, readonly Segment[]>()
const NOTHING: readonly unknown[] = Object.freeze([])

/** Every value a path leads to; empty when a part of the way is missing. Throws SyntaxError for a path it does not know. */
export function valuesAtPath(document: unknown, path: string): readonly unknown[] {
  let segments = compiled.get(path)
  if (segments === undefined) {
    segments = parse(path.replace(/^\{(.*)\}$/s, '$1'))
    compiled.set(path, segments)
  }
  // Names alone, which most columns of a table are, lead to one value: nothing is made on the way.
  let value = document
  for (let at = 0; at < segments.length; at++) {
    const segment = segments[at]!
    if (segment.kind !== 'key') return walk([value], segments, at)
    if (!isObject(value) || !Object.hasOwn(value, segment.key)) return NOTHING
    value = value[segment.key]
  }
  return [value]
}

function walk(values: readonly unknown[], segments: readonly Segment[], from = 0): readonly unknown[] {
  let current = values
  for (let at = from; at < segments.length && current.length > 0; at++) {
    const segment = segments[at]!
    if (current.length === 1) current = step(current[0], segment)
    else current = current.flatMap((value) => step(value, segment))
  }
  return current
}

function step(value: unknown, segment: Segment): readonly unknown[] {
  switch (segment.kind) {
    case 'key':
      return isObject(value) && Object.hasOwn(value, segment.key) ? [value[segment.key]] : []
    case 'index':
      return Array.isArray(value) && value.at(segment.index) !== undefined ? [value.at(segment.index)] : []
    case 'all':
      return Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []
    case 'filter':
      return Array.isArray(value)
        ? value.filter(
            (item) => walk([item], segment.path).some((found) => found === segment.value) !== segment.negated,
          )
        : []
  }
}

const KEY = /^((?:\\.|[^.[\]\\'"()=!\s])+)/
const FILTER =
  /^\?\(\s*@((?:\.[A-Za-z0-9_-]+)+)\s*(==|!=)\s*("(?:[^"\\]|\\.)*"|'[^']*'|-?[0-9]+(?:\.[0-9]+)?|true|false)\s*\)$/

function parse(path: string): Segment[] {
  const segments: Segment[] = []
  let rest = path.startsWith('$') ? path.slice(1) : path
  while (rest !== '') {
    if (rest.startsWith('[')) {
      const end = closingBracket(rest)
      if (end === -1) throw new SyntaxError(`"${path}" has a bracket that does not close`)
      segments.push(bracket(rest.slice(1, end).trim(), path))
      rest = rest.slice(end + 1)
      continue
    }
    const key = rest.startsWith('.') ? KEY.exec(rest.slice(1))?.[1] : undefined
    if (key === undefined) {
      if (rest === '.' && segments.length === 0) return segments
      throw new SyntaxError(`"${path}" is no JSONPath this program knows, from "${rest}" on`)
    }
    segments.push(key === '*' ? { kind: 'all' } : { kind: 'key', key: key.replace(/\\(.)/g, '$1') })
    rest = rest.slice(key.length + 1)
  }
  return segments
}

/** Of a text that starts with `[`; quoted brackets do not count. */
function closingBracket(text: string): number {
  let quote = ''
  for (let at = 1; at < text.length; at++) {
    const letter = text[at]!
    if (quote !== '') {
      if (letter === '\\') at += 1
      else if (letter === quote) quote = ''
    } else if (letter === '"' || letter === "'") quote = letter
    else if (letter === ']') return at
  }
  return -1
}

function bracket(inner: string, path: string): Segment {
  if (inner === '*') return { kind: 'all' }
  if (/^-?[0-9]+$/.test(inner)) return { kind: 'index', index: Number(inner) }
  const quoted = /^'([^']*)'$|^"([^"]*)"$/.exec(inner)
  if (quoted !== null) return { kind: 'key', key: (quoted[1] ?? quoted[2])! }
  const filter = FILTER.exec(inner)
  if (filter === null) throw new SyntaxError(`"${path}" is no JSONPath this program knows, at "[${inner}]"`)
  const literal = filter[3]!
  const value: unknown = literal.startsWith("'") ? literal.slice(1, -1) : JSON.parse(literal)
  return { kind: 'filter', path: parse(filter[1]!), negated: filter[2] === '!=', value }
}
