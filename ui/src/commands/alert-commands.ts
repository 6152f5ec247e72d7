import type { Alert } from '../api/reads.ts'
import type { NamedCommand } from '../components/command-set.tsx'
import { commandLine, inNamespace } from '../text/shell.ts'

/** What somebody may do about an alert, as it stands now. */
export function alertCommands(alert: Pick<Alert, 'id' | 'state' | 'agent' | 'namespace'>): readonly NamedCommand[] {
  const { id, state, agent, namespace } = alert
  const scope = inNamespace(namespace)
  return [
    ...(state === 'open'
      ? [
          {
            label: 'Say that you look after it',
            command: commandLine('stateward', 'alerts', 'ack', id, '--note', 'on it'),
          },
        ]
      : []),
    ...(state === 'resolved'
      ? []
      : [{ label: 'Resolve it', command: commandLine('stateward', 'alerts', 'resolve', id, '--note', 'cleared') }]),
    ...(agent === null
      ? []
      : [
          {
            label: 'Tell what is behind the state of the agent',
            command: commandLine('stateward', 'why', `agent/${agent}`, ...scope),
          },
          {
            label: 'Pause the agent meanwhile',
            command: commandLine('stateward', 'pause', agent, '--reason', 'an alert', ...scope),
          },
        ]),
    { label: 'List what raises alerts by itself', command: 'stateward alerts rules' },
  ]
}
