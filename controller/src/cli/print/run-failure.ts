import { ERRORS } from '../../lib/error-catalogue.ts'
import { isObject } from '../../lib/json.ts'
import type { Colors } from '../terminal.ts'
import { indent, renderValue } from './fields.ts'
import { inlineText, terminalText } from './inline-text.ts'

type Failure = Readonly<Record<string, unknown>>

const BY_CODE = new Map(Object.entries(ERRORS).map(([ref, { code, remedy }]) => [code as string, { ref, remedy }]))

/**
 * The failure of a run or step over several lines: the word, the message, what to do, where in the state repo, what else is
 * known, and below it what caused it, down to the root.
 */
export function renderFailure(error: Failure | null, colors: Colors): string {
  if (error === null) return ''
  const {
    place,
    ref: _ref,
    remedy: _remedy,
    retryable: _retryable,
    ...details
  } = isObject(error['details']) ? error['details'] : {}
  const lines = [`${colors.red(codeOf(error))}: ${terminalText(messageOf(error))}`]
  const remedy = remedyOf(error)
  if (remedy !== null) lines.push(`remedy: ${terminalText(remedy.text)} ${colors.dim(`[${remedy.ref}]`)}`)
  if (error['retryable'] === true) lines.push('retryable: true')
  if (typeof place === 'string') lines.push(`at: ${terminalText(place)}`)
  const { cause } = error
  // Said already: the failure of a run or loop repeats that of its step.
  const repeats = isObject(cause) && codeOf(cause) === codeOf(error) && messageOf(error).endsWith(messageOf(cause))
  if (repeats) delete details['step']
  const more = renderValue(details)
  if (more !== '') lines.push(`details:\n${indent(more, 2).trimEnd()}`)
  const root = repeats ? cause['cause'] : cause
  if (isObject(root)) lines.push(`because:\n${indent(renderFailure(root, colors), 2).trimEnd()}`)
  return `${lines.join('\n')}\n`
}

/** What a failure says of its own, without the steps it came through. */
export function rootMessage(error: Failure): string {
  return isObject(error['cause']) ? rootMessage(error['cause']) : messageOf(error)
}

/** The failure in one line: `tool_failed: http.call got no answer`. */
export function failureLine(error: Failure): string {
  return inlineText(`${codeOf(error)}: ${messageOf(error)}`)
}

function codeOf(error: Failure): string {
  return String(error['code'] ?? 'internal')
}

function messageOf(error: Failure): string {
  return String(error['message'] ?? '')
}

/** What the failure itself says to do, else what the catalogue says about its code. */
function remedyOf(error: Failure): { readonly text: string; readonly ref: string } | null {
  const { details } = error
  if (isObject(details) && typeof details['remedy'] === 'string' && typeof details['ref'] === 'string')
    return { text: details['remedy'], ref: details['ref'] }
  const known = BY_CODE.get(codeOf(error))
  return known === undefined ? null : { text: known.remedy, ref: known.ref }
}
