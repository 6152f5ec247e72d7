import { hash } from 'node:crypto'
import type { Json } from './json.ts'

/**
 * JSON with sorted keys and no white space, so that equal values have equal text (the idea of RFC 8785).
 * `undefined` members are left out, as JSON.stringify does.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`
  const record = value as Record<string, unknown>
  let text = '{'
  for (const key of Object.keys(record).sort()) {
    const member = record[key]
    if (member === undefined) continue
    text += `${text.length > 1 ? ',' : ''}${JSON.stringify(key)}:${canonicalJson(member)}`
  }
  return `${text}}`
}

/** Lower-case hex sha256 of a text or of bytes. */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex')
}

/** sha256 over {@link canonicalJson}: the digest of a value, whatever the order of its keys. */
export function digestOf(value: Json | unknown): string {
  return sha256(canonicalJson(value))
}
