import type { Command } from 'commander'
import { Option } from 'commander'
import { fail } from '../lib/error-catalogue.ts'
import type { OperationName } from './client/operation-request.ts'
import type { Host } from './client/operations.ts'
import { guardHost, joinHost } from './host-join.ts'
import { createToken, listTokens, revokeToken } from './host-token.ts'
import { collect } from './json-argument.ts'
import { OUTPUT_FLAG } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { CLIENT_SETTINGS, type ExitCode, type Verb, type VerbCall } from './verb.ts'

const USAGE =
  'it is: stateward host join --server <url> --token <token>, cordon <host>, uncordon <host>, drain <host>, remove <host>, or token <create|list|revoke>'

export const verb: Verb = {
  arguments: '<join|cordon|uncordon|drain|remove|token> [words...]',
  description:
    'Makes machines hosts of agents, and decides what runs on them.\n' +
    '`join` turns this machine into a host and supervises agents here until it is ended; joined once, the data folder remembers it.\n' +
    '`drain` moves everything that runs on a host elsewhere, and waits for that.\n' +
    'Hosts are listed with `stateward get hosts`.',
  examples: [
    ['stateward host token create', 'a token for one machine, good for an hour'],
    ['stateward host token create --label database=true --ttl 10m --for db-1'],
    ['stateward host join --server https://stateward.example:8088 --token swj_…'],
    ['stateward host join --data /srv/agents --name web-1 --slots 4 --label zone=eu --server … --token …'],
    ['stateward host cordon web-1', 'no new instances there'],
    ['stateward host drain web-1', 'move what runs there, with progress'],
    ['stateward host uncordon web-1'],
  ],
  settings: [...CLIENT_SETTINGS, 'keepAgents', 'log.level', 'log.format'],
  define: (command: Command) =>
    void command
      .option('--name <name>', 'join: the name of the host; default: that of the machine')
      .option('--slots <n>', 'join: how many slots for agents it offers; default: 10')
      .option('--label <key=value>', 'join, token create: what hostSelector looks at; may be repeated', collect)
      .option('--for <name>', 'token create: only this host may join with it')
      .option('--ttl <duration>', 'token create: how long it is good for; default: 1h')
      .option('--uses <n>', 'token create: how many machines may join with it; 0 = any number; default: 1')
      .option('--no-wait', 'drain: do not wait until it is done')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word, name, more] = call.args
    switch (word) {
      case 'join':
        if (name === undefined) return joinHost(call)
        break
      case 'guard':
        // Not for people: `join` starts it.
        if (name !== undefined && more !== undefined) return guardHost(name, more)
        break
      case 'cordon':
      case 'uncordon':
        if (name !== undefined) return change(call, `${word}Host`, name, `host ${name} is ${word}ed`)
        break
      case 'remove':
        if (name !== undefined) return change(call, 'removeHost', name, `host ${name} is removed`)
        break
      case 'drain':
        if (name !== undefined) return drain(call, name)
        break
      case 'token':
        if (name === 'create' && more === undefined) return createToken(call)
        if (name === 'list' && more === undefined) return listTokens(call)
        if (name === 'revoke' && more !== undefined) return revokeToken(call, more)
        break
    }
    throw fail('SW_USAGE', USAGE)
  },
}

async function change(
  { client, options, terminal }: VerbCall,
  operation: Extract<OperationName, 'cordonHost' | 'uncordonHost' | 'removeHost'>,
  host: string,
  said: string,
): Promise<ExitCode> {
  const answer: Host = await (await client()).call(operation, { host })
  await terminal.out(options['output'] === 'json' ? renderJson(answer) : `${said}\n`)
  return 0
}

const LOOK_MS = 500

/** Prints each time something moved; Ctrl-C leaves the drain going. */
async function drain({ client, options, terminal }: VerbCall, host: string): Promise<ExitCode> {
  const api = await client()
  const json = options['output'] === 'json'
  const interrupted = terminal.untilInterrupted()
  let now: Host = await api.call('drainHost', { host })
  let said = ''
  for (;;) {
    const left = now.drain?.remaining ?? 0
    const isDone = now.drain === null || now.drain.completed_at !== null
    const text = isDone
      ? `host ${host} is drained\n`
      : `host ${host}: ${left} of ${now.drain?.total ?? left} still run\n`
    if (!json && text !== said) await terminal.out(text)
    said = text
    if (isDone || options['wait'] === false) break
    if (interrupted.aborted) return 130
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    now = await api.call('readHost', { host })
  }
  if (json) await terminal.out(renderJson(now))
  return 0
}
