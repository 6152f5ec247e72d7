import { Option } from 'commander'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { OutputOf } from './client/operation-request.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  arguments: '[sum|forecast|blame]',
  description:
    'sum: sums up the ledger of what was spent, the dearest first, with the total in the last line.\n' +
    'forecast: what the month will have cost when it ends, at the pace of the last 7 days.\n' +
    'blame: which commits made the spending: what a run costs since, and what it cost before.',
  examples: [
    ['stateward cost', 'by agent'],
    ['stateward cost --by project,day --since 7d'],
    ['stateward cost --by run --blueprint auto-remediate'],
    ['stateward cost forecast --by project'],
    ['stateward cost blame --since 30d'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option(
        '--by <groups>',
        'up to four of project, agent, run, blueprint, step, tool, provider, model, commit, day, task, ticket, usage, namespace; forecast: one',
        'agent',
      )
      .option('--since <duration>', 'only what was spent in this time: 24h, 7d')
      .option('--agent <name>', 'only what this agent spent')
      .option('--project <name>', 'only what was spent for this project')
      .option('--blueprint <name>', 'sum, blame: only what runs of this blueprint spent')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word = 'sum', ...more] = call.args
    if (more.length === 0 && word === 'sum') return sum(call)
    if (more.length === 0 && word === 'forecast') return forecast(call)
    if (more.length === 0 && word === 'blame') return blame(call)
    throw fail('SW_USAGE', 'it is: stateward cost, stateward cost forecast, or stateward cost blame')
  },
}

async function sum(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const since = sinceOf(call)
  const summary: OutputOf<'summarizeCosts'> = await (await call.client()).call('summarizeCosts', {
    ...whose(call),
    group_by: textOption(options, 'by') ?? 'agent',
    blueprint: textOption(options, 'blueprint') ?? null,
    ...(since === null ? {} : { since }),
  })
  await terminal.out(options['output'] === 'json' ? renderJson(summary) : tableOf(summary, terminal.columns))
  return 0
}

const whose = ({ options }: VerbCall) => ({
  namespace: givenNamespace(options),
  agent: textOption(options, 'agent') ?? null,
  project: textOption(options, 'project') ?? null,
})

async function forecast(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const by = (textOption(options, 'by') ?? 'agent') as OutputOf<'forecastCosts'>['group_by']
  const seen: OutputOf<'forecastCosts'> = await (await call.client()).call('forecastCosts', {
    ...whose(call),
    group_by: by,
  })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(seen))
    return 0
  }
  const columns = [{ head: seen.group_by, shrinks: true }, ...['7 days', 'Month', 'Forecast'].map((head) => ({ head }))]
  const cells = (of: (typeof seen)['total']) => [of.last_days_usd, of.window_usd, of.forecast_usd]
  const rows = [...seen.items.map((item) => [item.group ?? '-', ...cells(item)]), ['total', ...cells(seen.total)]]
  await terminal.out(
    seen.items.length === 0 ? 'nothing was spent\n' : renderTable(columns, rows, { width: terminal.columns }),
  )
  return 0
}

async function blame(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const since = sinceOf(call)
  const seen: OutputOf<'blameCosts'> = await (await call.client()).call('blameCosts', {
    ...whose(call),
    blueprint: textOption(options, 'blueprint') ?? null,
    ...(since === null ? {} : { since }),
  })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(seen))
    return 0
  }
  const columns = [
    { head: 'Commit' },
    { head: 'Object', shrinks: true },
    ...['Runs', 'USD', 'A run', 'Before', 'Added'].map((head) => ({ head })),
    { head: 'By', shrinks: true },
  ]
  const rows = seen.items.map((item) => [
    item.revision.slice(0, 12),
    `${item.kind}/${item.name}`,
    String(item.runs),
    item.amount_usd,
    item.per_run_usd,
    item.before_per_run_usd ?? '-',
    item.added_usd,
    item.actor ?? '-',
  ])
  await terminal.out(
    rows.length === 0 ? 'nothing was spent\n' : renderTable(columns, rows, { width: terminal.columns }),
  )
  return 0
}

function tableOf({ group_by, items, total }: OutputOf<'summarizeCosts'>, width: number | null): string {
  if (items.length === 0) return 'nothing was spent\n'
  const columns = [
    ...group_by.map((head) => ({ head, shrinks: true })),
    ...['USD', 'Tokens', 'Rows'].map((head) => ({ head })),
  ]
  const numbers = (sum: Pick<typeof total, 'amount_usd' | 'tokens' | 'count'>) => [
    sum.amount_usd,
    String(sum.tokens),
    String(sum.count),
  ]
  const rows = items.map(({ group, ...sum }) => [...group_by.map((name) => group[name] ?? '-'), ...numbers(sum)])
  const last = [...group_by.map((_, index) => (index === 0 ? 'total' : '')), ...numbers(total)]
  return renderTable(columns, [...rows, last], { width })
}

function sinceOf({ options, terminal }: VerbCall): string | null {
  const text = textOption(options, 'since')
  if (text === undefined) return null
  try {
    return new Date(terminal.clock.now().getTime() - parseDuration(text)).toISOString()
  } catch (cause) {
    throw fail('SW_USAGE', `--since: ${(cause as Error).message}`, { cause })
  }
}
