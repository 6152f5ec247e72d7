import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { OutputOf } from './client/operation-request.ts'
import type { Alert } from './client/operations.ts'
import { givenNamespace, namespaceOf, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const SEVERITIES = ['info', 'warning', 'critical'] as const
const PAGE = 100

export const verb: Verb = {
  arguments: '[list|rules|raise|ack|resolve] [title|id…]',
  description:
    'Alerts are what somebody should look at: raised by rules over the log, by programs, by people. They stay until they are resolved.',
  examples: [
    ['stateward alerts', 'those that are not resolved'],
    ['stateward alerts rules', 'what raises them by itself'],
    ['stateward alerts raise "the disk of web-1 is full" --severity critical --key disk-full'],
    ['stateward alerts ack 0190a5c8-… --note "on it"'],
    ['stateward alerts resolve 0190a5c8-…'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--all', 'list: also resolved ones')
      .addOption(new Option('--severity <severity>', 'raise: how bad it is; list: only these').choices(SEVERITIES))
      .option('--key <key>', 'raise: what it is about; raised again under the same key, it is the same alert')
      .option('--agent <name>', 'raise: the agent it is about; list: only those')
      .option('--message <text>', 'raise: the details')
      .option('--note <text>', 'ack, resolve: what others should know')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word = 'list', ...rest] = call.args
    if (word === 'list' && rest.length === 0) return list(call)
    if (word === 'rules' && rest.length === 0) return rules(call)
    if (word === 'raise' && rest.length === 1) return raise(call, rest[0]!)
    if (word === 'ack' && rest.length > 0) return change(call, 'acknowledgeAlert', rest, 'acknowledged')
    if (word === 'resolve' && rest.length > 0) return change(call, 'resolveAlert', rest, 'resolved')
    throw fail('SW_USAGE', 'it is: stateward alerts list, rules, raise <title>, ack <id> or resolve <id>')
  },
}

async function rules({ client, options, terminal }: VerbCall): Promise<ExitCode> {
  const { items } = await (await client()).call('listAlertRules', {})
  const rows = items.map(({ name, description }) => [name, description])
  const columns = [{ head: 'Rule' }, { head: 'Raises an alert for', shrinks: true }]
  await terminal.out(
    options['output'] === 'json' ? renderJson({ items }) : renderTable(columns, rows, { width: terminal.columns }),
  )
  return 0
}

async function list(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const client = await call.client()
  const page: OutputOf<'listAlerts'> = await client.call('listAlerts', {
    namespace: givenNamespace(options),
    ...(options['all'] === true ? {} : { state: 'active' }),
    ...(options['severity'] === undefined ? {} : { severity: options['severity'] as Alert['severity'] }),
    agent: textOption(options, 'agent') ?? null,
    limit: PAGE,
  })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const now = terminal.clock.now()
  const columns = [
    { head: 'Id' },
    { head: 'Severity' },
    { head: 'State' },
    { head: 'Count' },
    { head: 'Age' },
    { head: 'Title', shrinks: true },
  ]
  const rows = page.items.map((alert) => [
    alert.id,
    alert.severity,
    alert.state,
    String(alert.count),
    ageOf(alert.raised_at, now),
    alert.title,
  ])
  await terminal.out(rows.length === 0 ? 'no alerts\n' : renderTable(columns, rows, { width: terminal.columns }))
  if (page.next_cursor !== null) await terminal.out(`… and older ones: only the newest ${PAGE} are shown\n`)
  return 0
}

async function raise(call: VerbCall, title: string): Promise<ExitCode> {
  const { options, terminal } = call
  const severity = options['severity'] as Alert['severity'] | undefined
  if (severity === undefined) throw fail('SW_USAGE', `say how bad it is: --severity ${SEVERITIES.join(', ')}`)
  const [key, agent, message] = ['key', 'agent', 'message'].map((name) => textOption(options, name))
  const alert = await (await call.client()).call('raiseAlert', {
    body: {
      severity,
      title,
      namespace: namespaceOf(options),
      ...(key === undefined ? {} : { key }),
      ...(agent === undefined ? {} : { agent }),
      ...(message === undefined ? {} : { message }),
    },
  })
  await terminal.out(options['output'] === 'json' ? renderJson(alert) : `alert ${alert.id} is raised\n`)
  return 0
}

async function change(
  call: VerbCall,
  operation: 'acknowledgeAlert' | 'resolveAlert',
  ids: readonly string[],
  said: string,
): Promise<ExitCode> {
  const { options, terminal } = call
  const note = textOption(options, 'note')
  const client = await call.client()
  for (const id of ids) {
    const alert: Alert = await client.call(operation, { alert: id, ...(note === undefined ? {} : { body: { note } }) })
    await terminal.out(options['output'] === 'json' ? renderJson(alert) : `alert ${alert.id} is ${said}\n`)
  }
  return 0
}
