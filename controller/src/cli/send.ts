import { Option } from 'commander'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import { commandLine } from './command-line.ts'
import { collect, readJsonObject } from './json-argument.ts'
import { namespaceOf, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<receiver> [text...]',
  description:
    'Sends a message to an agent, to every agent that holds a role, or to every agent that follows a topic.\n' +
    'Each of them gets it again until it acknowledges it.',
  examples: [
    ['stateward send sre "Please look at nginx on web-1"'],
    ['stateward send role/on-call "web-1 is down" --subject Alarm'],
    ['stateward send topic/deploys "v2 is out" --expires 1h'],
    ['stateward send sre "See the log" --attach 0190a5c8-…', 'with an artifact'],
    ['journalctl -u nginx | tail | stateward send sre -', 'text from standard input'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--subject <text>', 'one line about it')
      .option('--type <word>', 'what it is to its reader: note, request, answer …; default: note')
      .option('--values <json>', 'values beside the text: JSON, @file, or - for standard input')
      .option('--reply-to <id>', 'the message it answers')
      .option('--attach <artifact>', 'an artifact; may be repeated, up to 8 times', collect)
      .option('--expires <duration>', 'when it is over; default: never')
      .option('--key <text>', 'sending again under the same key sends nothing twice')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  async run(call) {
    const { options, terminal } = call
    const [receiver = '', ...words] = call.args
    const values = textOption(options, 'values')
    const expires = textOption(options, 'expires')
    const body = words.length === 1 && words[0] === '-' ? await terminal.stdin() : words.join(' ')
    if (body.trim() === '') throw fail('SW_USAGE', 'say something: stateward send sre "…", or - for standard input')
    const client = await call.client()
    const message = await client.call('sendMessage', {
      body: {
        to: receiverOf(receiver),
        namespace: namespaceOf(options),
        type: textOption(options, 'type') ?? 'note',
        body,
        data: values === undefined ? {} : await readJsonObject('--values', values, terminal),
        attachments: ((options['attach'] ?? []) as readonly string[]).map((artifact_id) => ({ artifact_id })),
        subject: textOption(options, 'subject') ?? null,
        reply_to: textOption(options, 'replyTo') ?? null,
        idempotency_key: textOption(options, 'key') ?? null,
        expires_at: expires === undefined ? null : until(expires, terminal.clock.now()),
      },
    })
    if (options['output'] === 'json') await terminal.out(renderJson(message))
    else {
      const reached = message.recipients === 1 ? '1 agent' : `${message.recipients} agents`
      await terminal.out(`message ${message.message_id} was sent to ${reached}\n`)
      await terminal.out(`next: ${commandLine(call, 'messages', 'show', message.message_id)}\n`)
    }
    return 0
  },
}

/** `sre`, `agent/sre`, `role/on-call`, `topic/deploys`. */
function receiverOf(word: string) {
  const [kind, name, ...more] = word.includes('/') ? word.split('/') : ['agent', word]
  if (name === undefined || name === '' || more.length > 0)
    throw fail('SW_USAGE', `"${word}" is nobody: write an agent's name, role/<name> or topic/<name>`)
  if (kind === 'agent') return { agent: name }
  if (kind === 'role') return { role: name }
  if (kind === 'topic') return { topic: name }
  throw fail('SW_USAGE', `messages go to an agent, a role or a topic, not to a ${kind}`)
}

function until(text: string, now: Date): string {
  try {
    return new Date(now.getTime() + parseDuration(text)).toISOString()
  } catch (cause) {
    throw fail('SW_USAGE', `--expires: ${(cause as Error).message}`, { cause })
  }
}
