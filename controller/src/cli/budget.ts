import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { OutputOf } from './client/operation-request.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const PAGE = 1000

export const verb: Verb = {
  arguments: '[list|waiting|raise] [budget]',
  description:
    'list: every budget, what is used, reserved and left of it, and what its window will come to.\n' +
    'waiting: what money of a budget is kept for, and what waits for some.\n' +
    'raise: proposes a commit that sets maxUsd; once it is merged, what waits goes on.',
  examples: [
    ['stateward budget'],
    ['stateward budget waiting platform-monthly'],
    ['stateward budget raise platform-monthly --to 30 --reason "the migration takes another week"'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--to <usd>', 'raise: US dollars for a window')
      .option('-r, --reason <text>', 'raise: why')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word = 'list', name, ...more] = call.args
    if (more.length === 0 && word === 'list' && name === undefined) return list(call)
    if (more.length === 0 && word === 'waiting' && name !== undefined) return waiting(call, name)
    if (more.length === 0 && word === 'raise' && name !== undefined) return raise(call, name)
    throw fail('SW_USAGE', 'it is: stateward budget, budget waiting <budget>, or budget raise <budget> --to <usd>')
  },
}

async function list(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const page: OutputOf<'listBudgets'> = await (await call.client()).call('listBudgets', {
    namespace: givenNamespace(options),
    limit: PAGE,
  })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const columns = [
    { head: 'Budget', shrinks: true },
    { head: 'Of', shrinks: true },
    ...['Window', 'Max', 'Used', 'Reserved', 'Left', 'Forecast'].map((head) => ({ head })),
  ]
  const rows = page.items.map((item) => [
    item.name,
    `${item.scope.kind}/${item.scope.name}`,
    item.window,
    item.max_usd,
    item.used_usd,
    item.reserved_usd,
    item.exhausted_at === null ? item.remaining_usd : `${item.remaining_usd} (${item.action})`,
    item.forecast_usd,
  ])
  await terminal.out(rows.length === 0 ? 'no budgets\n' : renderTable(columns, rows, { width: terminal.columns }))
  return 0
}

async function waiting(call: VerbCall, budget: string): Promise<ExitCode> {
  const { options, terminal } = call
  const page: OutputOf<'listReservations'> = await (await call.client()).call('listReservations', {
    budget,
    namespace: givenNamespace(options),
    limit: PAGE,
  })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const now = terminal.clock.now()
  const columns = [
    ...['State', 'USD', 'Age'].map((head) => ({ head })),
    ...['For', 'Step', 'Run'].map((head) => ({ head, shrinks: true })),
  ]
  const rows = page.items.map((item) => [
    item.state,
    item.amount_usd,
    ageOf(item.created_at, now),
    item.tool ?? (item.agent === null ? '-' : `agent ${item.agent}`),
    item.step ?? '-',
    item.run_id ?? '-',
  ])
  await terminal.out(
    rows.length === 0
      ? 'nothing is kept, and nothing waits\n'
      : renderTable(columns, rows, { width: terminal.columns }),
  )
  return 0
}

async function raise(call: VerbCall, budget: string): Promise<ExitCode> {
  const { options, terminal } = call
  const to = textOption(options, 'to')
  const reason = textOption(options, 'reason')
  if (to === undefined) throw fail('SW_USAGE', 'say how much: --to <usd>')
  const made: OutputOf<'raiseBudget'> = await (await call.client()).call('raiseBudget', {
    budget,
    namespace: givenNamespace(options),
    body: { max_usd: to, ...(reason === undefined ? {} : { reason }) },
  })
  await terminal.out(
    options['output'] === 'json'
      ? renderJson(made)
      : `${made.branch ?? made.commit} proposes ${to} USD for budget ${budget}; it is in force once it is merged\n`,
  )
  return 0
}
