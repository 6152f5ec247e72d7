import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { Message } from './client/operations.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderFields } from './print/fields.ts'
import { terminalText } from './print/inline-text.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const PAGE = 100

export const verb: Verb = {
  arguments: '[list|search|show|ack|dead|redeliver] [words...]',
  description:
    'Lists and searches messages, the newest first; shows one with its deliveries; acknowledges one for an agent;\n' +
    'lists those that were given up, and hands one out again.',
  examples: [
    ['stateward messages', 'the newest'],
    ['stateward messages search disk full -- -test', 'both words, and not the third'],
    ['stateward messages list --agent sre --from 2026-03-28', 'what sre sent and was sent'],
    ['stateward messages list --thread 0190a5c8-…', 'a conversation'],
    ['stateward messages show 0190a5c8-…', 'one, and who has acknowledged it'],
    ['stateward messages ack 0190a5c8-… --agent sre', 'in the place of the agent'],
    ['stateward messages dead', 'messages that nobody took'],
    ['stateward messages redeliver 0190a5c8-…'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--agent <name>', 'list, search, dead: of this agent; ack, redeliver: for this agent')
      .option('--topic <topic>', 'list, search: with this topic')
      .option('--thread <id>', 'list, search: of this conversation')
      .option('--from <time>', 'list, search: sent then or later: a day, or a time as RFC 3339 writes it')
      .option('--to <time>', 'list, search: sent before')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word = 'list', ...rest] = call.args
    const [id] = rest
    if (word === 'list' && id === undefined) return list(call, null)
    if (word === 'search' && id !== undefined) return list(call, rest.join(' '))
    if (word === 'dead' && id === undefined) return dead(call)
    if (id !== undefined && rest.length === 1) {
      if (word === 'show') return show(call, id)
      if (word === 'ack') return ack(call, id)
      if (word === 'redeliver') return redeliver(call, id)
    }
    throw fail(
      'SW_USAGE',
      'it is: stateward messages list, search <words>, show <id>, ack <id>, dead or redeliver <id>',
    )
  },
}

async function list(call: VerbCall, words: string | null): Promise<ExitCode> {
  const { options, terminal } = call
  const page = await (await call.client()).call('searchMessages', {
    q: words,
    namespace: givenNamespace(options),
    agent: textOption(options, 'agent') ?? null,
    topic: textOption(options, 'topic') ?? null,
    thread_id: textOption(options, 'thread') ?? null,
    from: textOption(options, 'from') ?? null,
    to: textOption(options, 'to') ?? null,
    limit: PAGE,
  })
  if (options['output'] === 'json') await terminal.out(renderJson(page))
  else await print(call, page.items, page.next_cursor !== null)
  return 0
}

async function print({ terminal }: VerbCall, messages: readonly Message[], isMore: boolean): Promise<void> {
  const now = terminal.clock.now()
  const columns = [
    { head: 'Id' },
    { head: 'From', shrinks: true },
    { head: 'To' },
    { head: 'Age' },
    { head: 'Message', shrinks: true },
  ]
  const rows = messages.map((message) => [
    message.message_id,
    message.from,
    receiverText(message),
    ageOf(message.sent_at, now),
    message.subject ?? message.body,
  ])
  await terminal.out(rows.length === 0 ? 'no messages\n' : renderTable(columns, rows, { width: terminal.columns }))
  if (isMore) await terminal.out(`… and older ones: only the newest ${PAGE} are shown\n`)
}

/** `sre`, `role/on-call`, `topic/deploys`. */
function receiverText({ to }: Message): string {
  return 'agent' in to ? to.agent : 'role' in to ? `role/${to.role}` : `topic/${to.topic}`
}

async function show(call: VerbCall, id: string): Promise<ExitCode> {
  const { options, terminal } = call
  const answer = await (await call.client()).call('readMessage', { message: id })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(answer))
    return 0
  }
  const { message, deliveries } = answer
  const fields: [string, string | null][] = [
    ['Id', message.message_id],
    ['From', message.from],
    ['To', receiverText(message)],
    ['Type', message.type],
    ['Subject', message.subject],
    ['Thread', message.thread_id],
    ['Reply to', message.reply_to],
    ['Sent', message.sent_at],
    ['Expires', message.expires_at],
    [
      'Attachments',
      message.attachments.length === 0 ? null : message.attachments.map((each) => each.artifact_id).join(' '),
    ],
    ['Values', Object.keys(message.data).length === 0 ? null : JSON.stringify(message.data)],
  ]
  await terminal.out(renderFields(fields, terminal.colors))
  await terminal.out(`\n${terminalText(message.body)}\n\n`)
  const rows = deliveries.map((delivery) => [
    delivery.agent,
    delivery.acked_at !== null ? 'acknowledged' : delivery.dead_at !== null ? 'given up' : 'waits',
    String(delivery.attempts),
    delivery.acked_at ?? delivery.dead_at ?? delivery.delivered_at ?? '-',
  ])
  const columns = ['Agent', 'State', 'Attempts', 'Since'].map((head) => ({ head }))
  await terminal.out(
    rows.length === 0 ? 'it reached nobody\n' : renderTable(columns, rows, { width: terminal.columns }),
  )
  return 0
}

async function ack(call: VerbCall, id: string): Promise<ExitCode> {
  const { options, terminal } = call
  const agent = textOption(options, 'agent')
  if (agent === undefined) throw fail('SW_USAGE', 'say for which agent: --agent <name>')
  const answer = await (await call.client()).call('ackMessage', {
    message: id,
    agent,
    namespace: givenNamespace(options),
  })
  if (options['output'] === 'json') await terminal.out(renderJson(answer))
  else await terminal.out(`message ${answer.message_id} is acknowledged for ${answer.agent}\n`)
  return 0
}

async function dead(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const query = { namespace: givenNamespace(options), agent: textOption(options, 'agent') ?? null, limit: PAGE }
  const page = await (await call.client()).call('listDeadMessages', query)
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const now = terminal.clock.now()
  const columns = [
    { head: 'Id' },
    { head: 'Agent' },
    { head: 'Tries' },
    { head: 'Age' },
    { head: 'Why' },
    { head: 'Message', shrinks: true },
  ]
  const rows = page.items.map(({ message, delivery }) => [
    message.message_id,
    delivery.agent,
    String(delivery.attempts),
    delivery.dead_at === null ? '-' : ageOf(delivery.dead_at, now),
    delivery.dead_reason ?? '-',
    message.subject ?? message.body,
  ])
  await terminal.out(rows.length === 0 ? 'no dead letters\n' : renderTable(columns, rows, { width: terminal.columns }))
  if (page.next_cursor !== null) await terminal.out(`… and older ones: only the newest ${PAGE} are shown\n`)
  return 0
}

async function redeliver(call: VerbCall, id: string): Promise<ExitCode> {
  const { options, terminal } = call
  const answer = await (await call.client()).call('redeliverMessage', {
    message: id,
    agent: textOption(options, 'agent') ?? null,
  })
  if (options['output'] === 'json') await terminal.out(renderJson(answer))
  else await terminal.out(`message ${answer.message.message_id} is handed out again to ${answer.agents.join(', ')}\n`)
  return 0
}
