import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { OutputOf } from './client/operation-request.ts'
import type { Notification } from './client/operations.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const PAGE = 100
const WAIT_MS = 15_000
const LOOK_MS = 250

export const verb: Verb = {
  arguments: '[list|test|retry] [route-or-delivery]',
  description:
    'Deliveries of notifications, newest first. `test` sends one over a route and waits for what becomes of it; `retry` has one that was given up tried again.\n\n' +
    'Exit code of test: 0 when it arrived, 1 otherwise.',
  examples: [
    ['stateward notifications'],
    ['stateward notifications list --state dead', 'what was given up'],
    ['stateward notifications test on-call'],
    ['stateward notifications retry 01983a50-4f77-7a88-99d8-2b1a0f9e8dba'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--route <name>', 'list: of one route')
      .addOption(new Option('--state <state>', 'list: of one state').choices(['pending', 'delivered', 'dead']))
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word = 'list', which] = call.args
    if (word === 'list' && which === undefined) return list(call)
    if (word === 'test' && which !== undefined) return test(call, which)
    if (word === 'retry' && which !== undefined) return retry(call, which)
    throw fail('SW_USAGE', 'it is: stateward notifications list, test <route>, or retry <delivery>')
  },
}

async function list(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const page: OutputOf<'listNotifications'> = await (await call.client()).call('listNotifications', {
    namespace: givenNamespace(options),
    route: textOption(options, 'route'),
    state: textOption(options, 'state') as Notification['state'] | undefined,
    limit: PAGE,
  })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const now = terminal.clock.now()
  const columns = [
    { head: 'Delivery' },
    { head: 'Route' },
    { head: 'State' },
    { head: 'Tries' },
    { head: 'Age' },
    { head: 'Event', shrinks: true },
    { head: 'Problem', shrinks: true },
  ]
  const rows = page.items.map((item) => [
    item.delivery_id,
    item.route,
    item.state,
    String(item.attempts),
    ageOf(item.created_at, now),
    `${item.event_name}${item.suppressed === 0 ? '' : ` (+${item.suppressed})`}`,
    item.problem ?? '',
  ])
  await terminal.out(rows.length === 0 ? 'no notifications\n' : renderTable(columns, rows, { width: terminal.columns }))
  return 0
}

async function test(call: VerbCall, route: string): Promise<ExitCode> {
  const { options, terminal } = call
  const client = await call.client()
  const namespace = givenNamespace(options)
  let sent = await client.call('testNotificationRoute', {
    body: { route, ...(namespace == null ? {} : { namespace }) },
  })
  const until = terminal.clock.monotonicMs() + WAIT_MS
  while (sent.state === 'pending' && sent.problem === null && terminal.clock.monotonicMs() < until) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    sent = await client.call('readNotification', { delivery_id: sent.delivery_id })
  }
  await say(call, sent)
  return sent.state === 'delivered' ? 0 : 1
}

async function retry(call: VerbCall, id: string): Promise<ExitCode> {
  await say(call, await (await call.client()).call('retryNotification', { delivery_id: id }))
  return 0
}

async function say({ options, terminal }: VerbCall, sent: Notification): Promise<void> {
  const problem = sent.problem === null ? '' : `: ${sent.problem}`
  const text = `notification ${sent.delivery_id} over ${sent.namespace}/${sent.route} is ${sent.state}${problem}\n`
  await terminal.out(options['output'] === 'json' ? renderJson(sent) : text)
}
