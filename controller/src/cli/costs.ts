import { Option } from 'commander'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { OutputOf } from './client/operation-request.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  description: 'Sums up the ledger of what was spent, the dearest first, with the total in the last line.',
  examples: [
    ['stateward costs', 'by agent'],
    ['stateward costs --by project,day --since 7d'],
    ['stateward costs --by model --agent sre -o json'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--by <groups>', 'up to four of project, agent, provider, model, day, task, ticket, namespace', 'agent')
      .option('--since <duration>', 'only what was spent in this time: 24h, 7d')
      .option('--agent <name>', 'only what this agent spent')
      .option('--project <name>', 'only what was spent for this project')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  async run(call): Promise<ExitCode> {
    const { options, terminal } = call
    if (call.args.length > 0) throw fail('SW_USAGE', 'costs takes no arguments: say what to sum up with --by')
    const since = sinceOf(call)
    const summary: OutputOf<'summarizeCosts'> = await (await call.client()).call('summarizeCosts', {
      namespace: givenNamespace(options),
      group_by: textOption(options, 'by') ?? 'agent',
      agent: textOption(options, 'agent') ?? null,
      project: textOption(options, 'project') ?? null,
      ...(since === null ? {} : { since }),
    })
    await terminal.out(options['output'] === 'json' ? renderJson(summary) : tableOf(summary, terminal.columns))
    return 0
  },
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
