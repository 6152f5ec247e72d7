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
  const more = renderValue(details)
  if (more !== '') lines.push(`details:\n${indent(more, 2).trimEnd()}`)
  const { cause } = error
  if (isObject(cause)) lines.push(`because:\n${indent(renderFailure(cause, colors), 2).trimEnd()}`)
  return `${lines.join('\n')}\n`
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
