import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { OutputOf } from './client/operation-request.ts'
import type { Breaker } from './client/operations.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const PAGE = 1000

export const verb: Verb = {
  arguments: '[list|trigger|reset] [breaker]',
  description:
    'A breaker is on a tool or an agent (tool:<name>, agent:<name>). While it is open the tool is not called, the agent gets no task.\n' +
    'Half open, one is let through to try: its success closes the breaker, its failure opens it again.',
  examples: [
    ['stateward breakers', 'those that are not closed'],
    ['stateward breakers trigger tool:ssh.run --reason "the jump host is compromised"', 'until it is reset'],
    ['stateward breakers trigger agent:sre --reason "nothing works" --cooldown 10m', 'then one task is tried'],
    ['stateward breakers reset tool:ssh.run'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--all', 'list: also closed ones')
      .option('-r, --reason <text>', 'trigger: why')
      .option('--cooldown <duration>', 'trigger: after this time one is tried; default: not before it is reset')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word = 'list', id] = call.args
    if (word === 'list' && id === undefined) return list(call)
    if (word === 'trigger' && id !== undefined) return trigger(call, id)
    if (word === 'reset' && id !== undefined) return reset(call, id)
    throw fail('SW_USAGE', 'it is: stateward breakers list, trigger <breaker> --reason <text>, or reset <breaker>')
  },
}

async function list(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const page: OutputOf<'listBreakers'> = await (await call.client()).call('listBreakers', {
    namespace: givenNamespace(options),
    limit: PAGE,
  })
  const items = options['all'] === true ? page.items : page.items.filter(({ state }) => state !== 'closed')
  if (options['output'] === 'json') {
    await terminal.out(renderJson({ ...page, items }))
    return 0
  }
  const now = terminal.clock.now()
  const columns = [
    { head: 'Breaker' },
    { head: 'Namespace' },
    { head: 'State' },
    { head: 'By' },
    { head: 'Age' },
    { head: 'Trips' },
    { head: 'Reason', shrinks: true },
  ]
  const rows = items.map((item) => [
    item.id,
    item.target.namespace,
    item.state,
    item.opened_by,
    ageOf(item.opened_at, now),
    String(item.trips),
    item.reason,
  ])
  await terminal.out(rows.length === 0 ? 'no open breakers\n' : renderTable(columns, rows, { width: terminal.columns }))
  return 0
}

async function trigger(call: VerbCall, id: string): Promise<ExitCode> {
  const { options } = call
  const reason = textOption(options, 'reason')
  if (reason === undefined) throw fail('SW_USAGE', 'say why: --reason <text>')
  const cooldown = secondsOf(textOption(options, 'cooldown'))
  const breaker = await (await call.client()).call('triggerBreaker', {
    breaker: id,
    namespace: givenNamespace(options),
    body: { reason, ...(cooldown === null ? {} : { cooldown_seconds: cooldown }) },
  })
  return said(call, breaker)
}

async function reset(call: VerbCall, id: string): Promise<ExitCode> {
  const input = { breaker: id, namespace: givenNamespace(call.options) }
  return said(call, await (await call.client()).call('resetBreaker', input))
}

async function said({ options, terminal }: VerbCall, breaker: Breaker): Promise<ExitCode> {
  const until =
    breaker.state !== 'open'
      ? ''
      : breaker.probe_at === null
        ? ' until it is reset'
        : `; one is tried at ${breaker.probe_at}`
  const text = `breaker ${breaker.id} is ${breaker.state.replace('_', ' ')}${until}\n`
  await terminal.out(options['output'] === 'json' ? renderJson(breaker) : text)
  return 0
}

function secondsOf(text: string | undefined): number | null {
  if (text === undefined) return null
  try {
    return Math.ceil(parseDuration(text) / 1000)
  } catch (cause) {
    throw fail('SW_USAGE', `--cooldown: ${(cause as Error).message}`, { cause })
  }
}
