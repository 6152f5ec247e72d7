import { API_VERSION } from '../kinds/definition.ts'
import { kindOf } from '../kinds/registry.ts'
import type { Resource } from '../kinds/resource.ts'
import { digestOf } from '../lib/digest.ts'
import type { JsonObject } from '../lib/json.ts'
import { outlineFile } from './outline-file.ts'
import type { FileInput, ParseOptions } from './parse-file.ts'
import type { ParsedFile } from './parsed-file.ts'

/** What a file is called, and its text; what it says is read when somebody asks. */
export interface Sketch {
  readonly file: ParsedFile
  readonly text: string
}

const DOCUMENT_START = /^---(?:[ \t]|$)/m
const API = line('apiVersion', API_VERSION.replaceAll(/[./]/g, '\\$&'))
const KIND = line('kind', '([A-Z][A-Za-z0-9]*)')
/** `metadata:` with its block below, or all of it in braces on one line. */
const BLOCK = /^metadata:[ \t]*(?:#.*)?\r?\n((?:[ \t]+.*\r?\n|[ \t]*#.*\r?\n|[ \t]*\r?\n)+)/m
const FLOW = /^metadata:[ \t]*\{([^{}"'\\\n]*)\}[ \t]*\r?$/m
const WORD = '([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)'

/** A line of the top level that says exactly this. */
function line(key: string, value: string): RegExp {
  return new RegExp(`^${key}:[ \\t]+${value}[ \\t]*(?:#.*)?\\r?$`, 'm')
}

/**
 * The object that a file of one plain document declares, by its text alone: for the thousands of files that a change does not
 * touch and that only have to be known by name. Null where a parser has to look. Words that YAML would not read as text (`null`,
 * `1`) are for the parser, too.
 */
export function sketchFile(input: FileInput, options: ParseOptions): Sketch | null {
  const { path, oid, bytes } = input
  if (bytes === null || bytes.includes(0)) return null
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  if (DOCUMENT_START.test(text) || text.includes('\ufffd') || text.startsWith('\ufeff')) return null
  const kind = onlyMatch(text, KIND)
  const definition = kind === null ? undefined : kindOf(kind)
  if (definition === undefined || onlyMatch(text, API) === null) return null
  const identity = identityIn(text)
  if (identity === null) return null
  const namespace = identity.namespace ?? options.defaultNamespace
  let read: Resource | null | undefined
  /** Whoever asks for more than the name gets all of it; what cannot be read says nothing. */
  const whole = (): Resource | null => {
    if (read === undefined) read = outlineFile(input, options)?.resources[0] ?? null
    return read
  }
  const resource: Resource = {
    ...{ kind: definition.kind, namespace: definition.scope === 'Cluster' ? '' : namespace, name: identity.name },
    get labels() {
      return whole()?.labels ?? {}
    },
    get annotations() {
      return whole()?.annotations ?? {}
    },
    get spec() {
      return whole()?.spec ?? EMPTY
    },
    get specDigest() {
      return whole()?.specDigest ?? digestOf(EMPTY)
    },
    origin: { file: path, document: 0 },
  }
  const nothing = { issues: [], ignored: 0, identified: [], unidentified: false }
  return { file: { path, oid, resources: [resource], ...nothing }, text }
}

/** No name: it is upper case. */
const UNCLEAR = 'UNCLEAR'
const EMPTY: JsonObject = {}

/** What the one line that fits says; null for none, and where the key stands twice. */
function onlyMatch(text: string, pattern: RegExp): string | null {
  const found = pattern.exec(text)
  if (found === null) return null
  const key = found[0].slice(0, found[0].indexOf(':') + 1)
  const again = text.startsWith(key) ? text.indexOf(`\n${key}`) : text.indexOf(`\n${key}`, found.index + 1)
  return again === -1 ? (found[1] ?? '') : null
}

function identityIn(text: string): { readonly name: string; readonly namespace: string | null } | null {
  const [block, flow] = [BLOCK.exec(text), FLOW.exec(text)]
  if ((block === null) === (flow === null) || onlyMatch(text, /^metadata:/m) === null) return null
  const name = block === null ? inFlow(flow![1]!, 'name') : inBlock(block[1]!, 'name')
  const namespace = block === null ? inFlow(flow![1]!, 'namespace') : inBlock(block[1]!, 'namespace')
  if (name === undefined || name === UNCLEAR || namespace === UNCLEAR) return null
  return { name, namespace: namespace ?? null }
}

/** A field at the indentation of the first; undefined = it is not there. */
function inBlock(block: string, field: string): string | undefined {
  const indentation = /^([ \t]+)[^\s#]/m.exec(block)?.[1]
  if (indentation === undefined) return UNCLEAR
  const named = block.match(new RegExp(`^${indentation}["']?${field}["']?[ \\t]*:`, 'gm')) ?? []
  if (named.length !== 1) return named.length === 0 ? undefined : UNCLEAR
  const found = new RegExp(`^${indentation}${field}:[ \\t]+${WORD}[ \\t]*(?:#.*)?\\r?$`, 'm').exec(block)
  return found === null || !isText(found[1]!) ? UNCLEAR : found[1]!
}

function inFlow(flow: string, field: string): string | undefined {
  const named = flow.match(new RegExp(`(?:^|,)\\s*${field}\\s*:`, 'g')) ?? []
  if (named.length !== 1) return named.length === 0 ? undefined : UNCLEAR
  const found = new RegExp(`(?:^|,)\\s*${field}:\\s+${WORD}\\s*(?:,|$)`).exec(flow)
  return found === null || !isText(found[1]!) ? UNCLEAR : found[1]!
}

/** Whether YAML takes a plain word for text. */
function isText(word: string): boolean {
  return !/^[0-9.+-]/.test(word) && !/^(?:null|true|false)$/.test(word)
}
