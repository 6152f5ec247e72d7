import { ERRORS } from '../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../lib/errors.ts'
import { isObject } from '../lib/json.ts'
import type { Colors, Terminal } from './terminal.ts'
import type { ExitCode } from './verb.ts'

/** A failure as people read it: what, which fields, what to do, and the reference to look up. */
function renderError(error: unknown, colors: Colors): string {
  if (!(error instanceof StatewardError)) {
    const entry = ERRORS.SW_INTERNAL
    const stack = error instanceof Error && error.stack !== undefined ? `\n${colors.dim(error.stack)}` : ''
    return `${colors.red('error:')} ${errorMessage(error)}\n  remedy: ${entry.remedy} [SW_INTERNAL]${stack}\n`
  }
  const lines = [`${colors.red('error:')} ${error.message}`]
  const violations = error.details['violations']
  if (Array.isArray(violations) && violations.length > 1) {
    for (const violation of violations) {
      if (isObject(violation)) lines.push(`  ${String(violation['path'] ?? '')} ${String(violation['message'] ?? '')}`)
    }
  }
  lines.push(`  remedy: ${error.remedy} ${colors.dim(`[${error.ref}]`)}`)
  const correlation = error.details['correlation_id']
  if (error.ref === 'SW_INTERNAL' && typeof correlation === 'string') lines.push(`  correlation id: ${correlation}`)
  return `${lines.join('\n')}\n`
}

/** Prints a failure to stderr and says how the process ends: wrong usage 2, anything else 1. */
export async function reportError(error: unknown, terminal: Terminal): Promise<ExitCode> {
  await terminal.err(renderError(error, terminal.colors))
  return error instanceof StatewardError && error.ref === 'SW_USAGE' ? 2 : 1
}
