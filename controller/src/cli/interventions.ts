import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { OutputOf } from './client/operation-request.ts'
import type { Intervention } from './client/operations.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { Verb } from './verb.ts'

const PAGE = 100

export const verb: Verb = {
  arguments: '[agent]',
  description:
    'Lists interventions, the newest first: what was done to agents at once, how far they are with it, and whether it is in force.',
  examples: [
    ['stateward interventions', 'those in force or not answered yet'],
    ['stateward interventions sre --all', 'all of one agent'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--all', 'also those that are over')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  async run(call) {
    const { options, terminal, args } = call
    if (args.length > 1) throw fail('SW_USAGE', 'name at most one agent')
    const client = await call.client()
    const page: OutputOf<'listInterventions'> = await client.call('listInterventions', {
      agent: args[0] ?? null,
      namespace: givenNamespace(options),
      limit: PAGE,
    })
    const items = options['all'] === true ? page.items : page.items.filter(isOpen)
    if (options['output'] === 'json') {
      await terminal.out(renderJson({ ...page, items }))
      return 0
    }
    const now = terminal.clock.now()
    const columns = [
      { head: 'Agent' },
      { head: 'Action' },
      { head: 'State' },
      { head: 'In force' },
      { head: 'By' },
      { head: 'Age' },
      { head: 'Reason', shrinks: true },
    ]
    const rows = items.map((item) => [
      item.agent,
      item.action,
      item.state,
      inForce(item),
      item.issued_by,
      ageOf(item.issued_at, now),
      item.reason,
    ])
    await terminal.out(
      rows.length === 0 ? 'no interventions\n' : renderTable(columns, rows, { width: terminal.columns }),
    )
    if (page.next_cursor !== null) await terminal.out(`… of the newest ${PAGE}\n`)
    return 0
  },
}

function isOpen({ in_force, state }: Intervention): boolean {
  return in_force || state === 'pending' || state === 'acknowledged'
}

function inForce({ in_force, ended_why, expires_at }: Intervention): string {
  if (in_force) return expires_at === null ? 'yes' : `until ${expires_at}`
  return ended_why ?? 'done'
}
