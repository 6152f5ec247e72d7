import { sha256 } from '../../lib/digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { formatIssue, type Issue } from '../../lib/issue.ts'
import type { ParseIssueCode } from '../../lib/issue-catalogue.ts'
import { findSecrets } from './rule-set.ts'

/**
 * Finds secrets written in plain sight: tokens of well-known issuers, private keys, passwords in connection URLs. Pure; a
 * text that only resembles a secret is let through rather than refused. The secret itself is never part of the answer.
 *
 * SW_PLAINTEXT_SECRET (error) for each, with line and column (from 1); SW_ALLOWED_SECRET (warning) where the file says that it
 * is none: the annotation or comment `stateward.dev/allow-secret: <fingerprint>[, …]`, a fingerprint being the first 12 hex digits
 * of the sha256 of what was found, so that it covers that one text and no other. Binary files are not looked into.
 */
export function scanForSecrets(path: string, bytes: Uint8Array): Issue[] {
  const text = textOf(bytes)
  return text === null ? [] : scanText(path, text)
}

/** The same for a text that was decoded already. */
export function scanText(path: string, text: string): Issue[] {
  const found = findSecrets(path, text)
  if (found.length === 0) return []
  const allowed = allowedIn(text)
  return found.map(({ from, to, what }) => {
    const fingerprint = sha256(text.slice(from, to)).slice(0, 12)
    const known = allowed.has(fingerprint)
    return {
      code: (known ? 'SW_ALLOWED_SECRET' : 'SW_PLAINTEXT_SECRET') satisfies ParseIssueCode,
      severity: known ? 'warning' : 'error',
      message: known
        ? `what looks like a secret (${what}) is let through by stateward.dev/allow-secret: ${fingerprint}`
        : `a secret stands here in plain sight (${what})`,
      hint: known
        ? 'take the line out when the text goes'
        : `take it out and name it with secretRef; whoever could read this file has it, so make a new one. If it is none: stateward.dev/allow-secret: ${fingerprint}`,
      file: path,
      ...placeOf(text, from),
    }
  })
}

/** A file as a change leaves it. */
export interface ChangedFile {
  readonly path: string
  readonly bytes: Uint8Array
  /** What it was: secrets that stood in it already are not this change's. */
  readonly before?: Uint8Array | null
}

/** Throws SW_SECRET_IN_CHANGE, naming file and line of every secret that a change puts into these files in plain sight. */
export function refuseSecrets(files: Iterable<ChangedFile>): void {
  const found = [...files].flatMap(({ path, bytes, before }) => {
    // The hint holds the fingerprint.
    const known = new Set(scanForSecrets(path, before ?? new Uint8Array()).map(({ hint }) => hint))
    return scanForSecrets(path, bytes).filter(({ severity, hint }) => severity === 'error' && !known.has(hint))
  })
  if (found.length === 0) return
  const more = found.length > MAX_SHOWN ? [`… ${found.length - MAX_SHOWN} more`] : []
  throw fail('SW_SECRET_IN_CHANGE', [...found.slice(0, MAX_SHOWN).map(formatIssue), ...more].join('\n'))
}

const MAX_SHOWN = 10

const ALLOWED = /stateward\.dev\/allow-secret["']?\s*:\s*["']?([0-9a-f]{12}(?:\s*,\s*[0-9a-f]{12}){0,99})/g

function allowedIn(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(ALLOWED)].flatMap(([, list]) => list!.split(/\s*,\s*/)))
}

function placeOf(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.lastIndexOf('\n', at - 1)
  let line = 1
  for (let i = text.indexOf('\n'); i !== -1 && i < at; i = text.indexOf('\n', i + 1)) line++
  return { line, column: at - before }
}

/** Null for what is no text. Bytes that are not UTF-8 are read one by one: a token is ASCII in any of these. */
function textOf(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  if (bytes.includes(0)) return null
  return new TextDecoder().decode(bytes)
}
