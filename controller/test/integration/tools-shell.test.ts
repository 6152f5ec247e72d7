import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileShellText, shellArgv, shellLine } from '../../src/expressions/shell-template.ts'
import { renderTemplate } from '../../src/expressions/template.ts'
import type { Json } from '../../src/lib/json.ts'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'stateward-shell-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The shell text of a template with values, as a run hands it to a tool. */
function shellOf(template: string, inputs: Record<string, Json>) {
  const compiled = compileShellText(template)
  if (!compiled.ok) return null
  return renderTemplate(compiled.shell, { inputs }) as { literal: string; args: Json[] }
}

function run(argv: readonly string[]): string {
  const [file, ...args] = argv
  return execFileSync(file!, args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 5000,
  })
}

describe('a value in a shell command', () => {
  test('is one word, also when it would be a command', () => {
    const value = 'nginx; touch pwned'
    const shell = shellOf("printf '<%s>' {{ inputs.service }} x{{ inputs.service }}", { service: value })!
    expect(run(shellArgv(shell))).toBe(`<${value}><x${value}>`)
    expect(run(['sh', '-c', shellLine(shell)])).toBe(`<${value}><x${value}>`)
    expect(readdirSync(folder)).toEqual([])
  })

  test('arrives as it is, whatever it holds, directly and through a second shell', () => {
    const value = fc
      .string({ unit: 'binary', maxLength: 40 })
      .filter((text) => !text.includes('\0') && text.isWellFormed())
    const hostile = fc.constantFrom(
      "'; touch pwned; '",
      '$(touch pwned)',
      '`touch pwned`',
      '"; touch pwned #',
      '\n touch pwned',
      '-n',
      '*',
      '~',
      '$HOME',
      '\\',
    )
    fc.assert(
      fc.property(fc.oneof(value, hostile), fc.oneof(value, hostile), (a, b) => {
        const shell = shellOf("printf '%s\\0%s\\0' {{ inputs.a }} {{ inputs.b }}", { a, b })!
        expect(run(shellArgv(shell)).split('\0')).toEqual([a, b, ''])
        expect(run(['sh', '-c', shellLine(shell)]).split('\0')).toEqual([a, b, ''])
      }),
      { numRuns: 100 },
    )
    expect(readdirSync(folder)).toEqual([])
  })

  test.each(['sh', 'bash'])('is never run by %s, wherever the checked template puts it', (program) => {
    const piece = fc.constantFrom(
      '{{ inputs.v }}',
      '{{ inputs.v }}',
      "'",
      '"',
      '`',
      '\\',
      '$',
      '$(',
      ')',
      '${x:-',
      '}',
      '$((',
      '))',
      '(',
      '#',
      '\n',
      ' ',
      ' ',
      ';',
      '&&',
      '|',
      '<<E',
      '<<-E',
      "<<'E'",
      'E',
      '\nE\n',
      '<<<',
      '=',
      'x',
      'echo ',
      'case x in x)',
      ';; esac',
      'if true; then ',
      'fi',
      '!',
      '[',
      ']',
      '1',
    )
    const values = [
      '$(touch pwned)',
      '`touch pwned`',
      "';touch pwned;'",
      '";touch pwned;"',
      ';touch pwned;',
      '\ntouch pwned\n',
      'a[$(touch pwned)]',
      '}touch pwned',
      ')touch pwned',
    ]
    let checked = 0
    fc.assert(
      fc.property(fc.array(piece, { minLength: 2, maxLength: 10 }), fc.constantFrom(...values), (pieces, v) => {
        const template = `echo ${pieces.join('')}`
        const shell = template.includes('{{') ? shellOf(template, { v }) : null
        if (shell === null) return
        checked++
        const [, ...args] = shellArgv(shell)
        try {
          run([program, ...args])
        } catch {
          // Many of these texts are no valid shell; what counts is what they did.
        }
        expect([template, v, readdirSync(folder)]).toEqual([template, v, []])
      }),
      { numRuns: 1500 },
    )
    expect(checked).toBeGreaterThan(100)
  })
})
