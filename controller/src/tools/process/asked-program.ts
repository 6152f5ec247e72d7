import { fail } from '../../lib/error-catalogue.ts'
import type { JsonObject } from '../../lib/json.ts'

/** A program as a call asks for it: its words and its variables. */
export const commandParameter: JsonObject = {
  type: 'array',
  description: 'The program and its arguments; each is one word, no shell reads them.',
  minItems: 1,
  maxItems: 1000,
  items: { type: 'string' },
}

export const environmentParameter: JsonObject = {
  type: 'object',
  description: 'Variables beside the allowed ones.',
  additionalProperties: { type: 'string' },
}

const RESERVED = /^STATEWARD_/
/** Loaders and shells heed these in whatever is started, and what makes the sandbox is started first. */
const LOADS_CODE = /^(LD_|DYLD_|GLIBC_|GCONV_PATH$|LOCPATH$|SHELLOPTS$|BASHOPTS$)/

/** Throws SW_VALIDATION_FAILED, SW_INVALID_TEXT. */
export function checkProgram(tool: string, command: readonly string[], env: Readonly<Record<string, string>>): void {
  const odd = Object.keys(env).find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  if (odd !== undefined) throw fail('SW_VALIDATION_FAILED', `${JSON.stringify(odd)} is not the name of a variable`)
  const loading = Object.keys(env).find((name) => LOADS_CODE.test(name))
  if (loading !== undefined)
    throw fail('SW_VALIDATION_FAILED', `${loading} would load code before the sandbox is there`, {
      remedy: `let the program itself have it: command: [env, ${loading}=…, …]`,
    })
  const reserved = Object.keys(env).find((name) => RESERVED.test(name))
  if (reserved !== undefined) throw fail('SW_VALIDATION_FAILED', `${reserved} is set by Stateward itself`)
  if ([...command, ...Object.entries(env).flat()].some((word) => word.includes('\0')))
    throw fail('SW_INVALID_TEXT', `an argument or a variable of ${tool} holds a NUL character`)
}
