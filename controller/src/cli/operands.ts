import type { Command } from 'commander'
import type { KindRow } from '../kinds/kind-row.ts'
import { fail } from '../lib/error-catalogue.ts'
import { kindByWord, kindsByWords } from './kinds/kind-table.ts'

/** Objects a command line names: one kind with names (none = all of it), as kubectl takes them. */
export interface Operand {
  readonly kind: KindRow
  readonly names: readonly string[]
}

/** `agents`, `agents,bp`, `all`, `agents sre openai`, `agent/sre run/fix-k3q9zt`. */
export function readOperands(args: readonly string[]): readonly Operand[] {
  if (args.length === 0) throw fail('SW_USAGE', 'name a kind: agents, blueprints, runs, … or all')
  if (args.some((arg) => arg.includes('/'))) {
    return args.map((arg) => {
      const { kind, name } = readTarget(arg)
      return { kind, names: [name] }
    })
  }
  const kinds = kindsByWords(args[0]!)
  const names = args.slice(1)
  if (kinds.length > 1 && names.length > 0)
    throw fail('SW_USAGE', 'names go with one kind only: write kind/name for objects of several')
  return kinds.map((kind) => ({ kind, names }))
}

/** One object: `agent/sre`, or kind and name as two words. */
export function readTarget(word: string, name?: string): { readonly kind: KindRow; readonly name: string } {
  if (name !== undefined) return { kind: kindByWord(word), name }
  const [kind, ...rest] = word.split('/')
  if (rest.length !== 1 || rest[0] === '' || kind === '')
    throw fail('SW_USAGE', `"${word}" names no object: write kind/name, like agent/sre`)
  return { kind: kindByWord(kind!), name: rest[0]! }
}

/** `-n`, which every verb about objects of a namespace has. */
export function namespaceOption(command: Command): Command {
  return command.option('-n, --namespace <name>', 'namespace of the object (default: default)')
}

export function namespaceOf(options: Readonly<Record<string, unknown>>): string {
  return typeof options['namespace'] === 'string' ? options['namespace'] : 'default'
}

/** The namespace when it was given, else null: runs are found by name in any. */
export function givenNamespace(options: Readonly<Record<string, unknown>>): string | null {
  return typeof options['namespace'] === 'string' ? options['namespace'] : null
}

/** A text option, or undefined when it was not given. */
export function textOption(options: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

/** `-o`; the choices are checked while the command line is read. */
export const OUTPUT_FLAG = '-o, --output <format>'
