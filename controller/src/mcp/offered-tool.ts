import { digestOf, sha256 } from '../lib/digest.ts'
import { isObject, type Json, type JsonObject } from '../lib/json.ts'

/** A tool as a server offers it, in plain JSON. */
export interface OfferedTool {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly inputSchema: JsonObject
  readonly outputSchema?: JsonObject
  readonly annotations?: JsonObject
}

/** Everything a model or a person is told of a tool: when any of it changes, it is another tool. */
export function offeredDigest({
  name,
  title,
  description,
  inputSchema,
  outputSchema,
  annotations,
}: OfferedTool): string {
  return digestOf({ name, title, description, inputSchema, outputSchema, annotations })
}

const MOST = 63

/**
 * Names of the Tools, by the server's names: `<server>.<name>` in the letters that names of objects have. Two that would be
 * called the same, or are too long, end with a part of the digest of their name.
 */
export function toolNames(server: string, offered: readonly string[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  const taken = new Set<string>()
  for (const name of [...offered].sort()) {
    const plain = `${server}.${labels(name)}`
    const wanted = plain.length <= MOST && !taken.has(plain) && labels(name) !== '' ? plain : marked(server, name)
    names.set(name, wanted)
    taken.add(wanted)
  }
  return names
}

function labels(name: string): string {
  return name
    .toLowerCase()
    .split('.')
    .map((part) => part.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, ''))
    .filter((part) => part !== '')
    .join('.')
}

function marked(server: string, name: string): string {
  const mark = sha256(name).slice(0, 8)
  const head = `${server}.${labels(name)}`.slice(0, MOST - mark.length - 1)
  return `${head.replaceAll(/[-.]+$/g, '')}-${mark}`
}

/** Another word for it, with underscores as the server writes it; null when it is none that a Tool may have. */
export function aliasOf(server: string, name: string, tool: string): string | null {
  const alias = `${server}.${name}`
  return alias !== tool && alias.length <= MOST && /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/.test(alias) ? alias : null
}

/** Without the marks by which a schema of ours asks for a shell: what a server offers is never read by one. */
export function withoutShellMarks(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(withoutShellMarks)
  if (!isObject(schema)) return schema
  return Object.fromEntries(
    Object.entries(schema as JsonObject)
      .filter(([key]) => key !== 'x-shell')
      .map(([key, value]) => [key, withoutShellMarks(value)]),
  )
}
