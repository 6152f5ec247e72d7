import type { AgentRecord } from '../../api/reads.ts'
import type { NamedCommand } from '../../components/command-set.tsx'
import { commandLine, inNamespace } from '../../text/shell.ts'

/** What can be done to an agent, with the commands that do it. */
export function agentCommands(agent: Pick<AgentRecord, 'name' | 'namespace' | 'mode'>): readonly NamedCommand[] {
  const { name, namespace } = agent
  const where = inNamespace(namespace)
  const why = ['--reason', 'why it is done']
  return [
    { label: 'Pause it at once', command: commandLine('stateward', 'pause', name, ...where, ...why) },
    { label: 'Let it go on', command: commandLine('stateward', 'resume', `agent/${name}`, ...where) },
    {
      label: 'Limit what it may do',
      command: commandLine('stateward', 'constrain', name, ...where, '--max-tasks', '1', ...why),
    },
    {
      label: 'Give it another goal',
      command: commandLine('stateward', 'redirect', name, ...where, '--goal', 'what it is to do', ...why),
    },
    { label: 'End every process of it', command: commandLine('stateward', 'terminate', name, ...where, ...why) },
    { label: 'Read what it writes', command: commandLine('stateward', 'logs', `agent/${name}`, ...where, '-f') },
    { label: 'Tell what is behind its state', command: commandLine('stateward', 'why', `agent/${name}`, ...where) },
    { label: 'See it with kubectl', command: commandLine('kubectl', 'describe', 'agent', name, ...where) },
  ]
}

/** What can be done with a host, with the commands that do it. */
export function hostCommands(host: { readonly name: string; readonly connection: string }): readonly NamedCommand[] {
  const { name, connection } = host
  const decide = (verb: string): string => commandLine('stateward', 'host', verb, name)
  return [
    { label: 'Start nothing new on it', command: decide('cordon') },
    { label: 'Let it take agents again', command: decide('uncordon') },
    { label: 'Move everything elsewhere', command: decide('drain') },
    ...(connection === 'joined' ? [{ label: 'Take it out of the fleet', command: decide('remove') }] : []),
    { label: 'Make a token with which another machine joins', command: 'stateward host token create --ttl 1h' },
    { label: 'See it with kubectl', command: commandLine('kubectl', 'describe', 'host', name) },
  ]
}
