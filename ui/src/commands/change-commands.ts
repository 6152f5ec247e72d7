import type { HeldChange } from '../api/reads.ts'
import type { NamedCommand } from '../components/command-set.tsx'
import { commandLine, inNamespace } from '../text/shell.ts'

/** The ways to decide a change that is held back. */
export function changeCommands(
  change: Pick<HeldChange, 'kind' | 'namespace' | 'name' | 'reason' | 'file'>,
): readonly NamedCommand[] {
  const { kind, namespace, name, reason, file } = change
  const object = `${kind.toLowerCase()}/${name}`
  const where = inNamespace(namespace)
  const decidable = reason !== 'PolicyDenied'
  return [
    ...(decidable
      ? [
          {
            label: 'Approve',
            command: commandLine('stateward', 'approve', object, ...where, '--reason', 'looks right'),
          },
          { label: 'Reject', command: commandLine('stateward', 'reject', object, ...where, '--reason', 'why') },
        ]
      : []),
    { label: 'See what stands behind it', command: commandLine('stateward', 'why', object, ...where) },
    ...(file === null
      ? []
      : [{ label: 'See its history in Git', command: commandLine('git', 'log', '--patch', '-3', '--', file) }]),
    {
      label: 'See the object with kubectl',
      command: commandLine('kubectl', 'get', kind.toLowerCase(), name, ...where, '-o', 'yaml'),
    },
  ]
}
