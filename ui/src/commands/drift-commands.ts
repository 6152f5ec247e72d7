import type { NamedCommand } from '../components/command-set.tsx'
import { commandLine, inNamespace } from '../text/shell.ts'

/** What somebody does about a difference between what is live and what Git says. */
export function driftCommands(drift: {
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string }
  readonly field: string
}): readonly NamedCommand[] {
  const { kind, namespace, name } = drift.object
  const verb = (word: string, ...more: readonly string[]): string =>
    commandLine('stateward', 'drift', word, `${kind.toLowerCase()}/${name}`, ...inNamespace(namespace), ...more)
  return [
    { label: 'Show it', command: verb('show') },
    { label: 'Bring back what Git says', command: verb('enforce') },
    { label: 'Take over what is live', command: verb('adopt', '--field', drift.field) },
  ]
}
