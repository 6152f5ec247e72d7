import { fail } from '../lib/error-catalogue.ts'
import type { Json } from '../lib/json.ts'
import { shellWord } from '../lib/shell-word.ts'
import type { ExpressionProblem } from './problem.ts'
import { ShellLexer } from './shell-lexer.ts'
import { parseTemplate, textOf } from './template.ts'

/**
 * A command for a shell, with its values apart from its text: run as `sh -c <literal> sh <args…>`. The literal holds `"$1"`, `"$2"` …
 * where values belong, so that no value is ever read as shell text. In a compiled plan `args` are templates, in a call their values.
 */
export type ShellText = {
  readonly literal: string
  readonly args: readonly Json[]
}

export type CompiledShellText =
  | { readonly ok: true; readonly shell: { literal: string; args: string[] } }
  | { readonly ok: false; readonly problem: ExpressionProblem }

const WHOLE_WORD =
  'write it as a word of its own, outside of quotes; the value is passed as one argument, whatever it holds'

function refused(message: string, hint: string, offset: number): CompiledShellText {
  return { ok: false, problem: { code: 'SW_SHELL_TEMPLATE', message, hint, offset } }
}

/**
 * What would make `"$1"` mean something else, or read its value as code: functions, `set` and `shift` replace the positional
 * parameters; `eval` and the like, and bash's arithmetic, run what they are given.
 */
const UNSAFE = new RegExp(
  [
    String.raw`\(\s*\)\s*[{(]`,
    String.raw`(?<!\$)\(\(`,
    String.raw`\[\[`,
    String.raw`(^|[;&|(){}!\n]|\b(?:then|do|else|elif|if|while|until|exec|command|builtin)\s)\s*` +
      String.raw`(?:set|shift|function|eval|source|\.|trap|alias|let|unset|declare|typeset|local|readonly|export)\s`,
  ].join('|'),
)

/** Splits a shell parameter's template into its literal and its values; the expressions in it are checked elsewhere. */
export function compileShellText(template: string): CompiledShellText {
  const parsed = parseTemplate(template)
  if (!parsed.ok) return parsed
  const lexer = new ShellLexer()
  const args: string[] = []
  let literal = ''
  for (const part of parsed.parts) {
    if ('text' in part) {
      literal += part.text
      lexer.feed(part.text)
      continue
    }
    const inside = lexer.refusal()
    if (inside !== null)
      return refused(`a {{ }} cannot stand in or after ${inside} of a shell command`, WHOLE_WORD, part.start)
    lexer.placeholder()
    args.push(`{{ ${part.expression} }}`)
    literal += args.length < 10 ? `"$${args.length}"` : `"\${${args.length}}"`
  }
  if (args.length === 0) return { ok: true, shell: { literal, args } }
  const open = lexer.unfinished()
  if (open !== null) return refused(`${open} of this shell command is never closed`, 'close it', template.length)
  if (UNSAFE.test(literal) || (/\$\(/.test(literal) && /\bcase\b/.test(literal))) {
    return refused(
      'a shell command with {{ }} cannot define functions, use set, shift, eval, source, trap, unset, export, ((…)), [[…]] or a case inside $( )',
      'put it into a script and pass the values as its arguments',
      0,
    )
  }
  return { ok: true, shell: { literal, args } }
}

/** The argument vector of a rendered shell text. Throws SW_INVALID_TEXT for a value that holds a NUL, which no argument can. */
export function shellArgv(shell: ShellText): string[] {
  const args = shell.args.map(textOf)
  if (args.some((arg) => arg.includes('\0')))
    throw fail('SW_INVALID_TEXT', 'a value for a shell command holds a NUL character')
  return ['sh', '-c', shell.literal, 'sh', ...args]
}

/** {@link shellArgv} as one line, each word quoted: what is handed to a remote login shell. */
export function shellLine(shell: ShellText): string {
  return shellArgv(shell).map(shellWord).join(' ')
}

export function isShellText(value: unknown): value is ShellText {
  if (typeof value !== 'object' || value === null) return false
  const { literal, args } = value as { literal?: unknown; args?: unknown }
  return typeof literal === 'string' && Array.isArray(args) && Object.keys(value).length === 2
}
