import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { fail } from '../lib/error-catalogue.ts'
import { commandLine } from './command-line.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG } from './operands.ts'
import { renderFields } from './print/fields.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  arguments: '[stats|list|requeue] [id]',
  description:
    'What was recovered, and what could not be: dead letters are events that asked for a run that could not be made, and runs whose work failed for good.\n' +
    'Requeuing one starts a run of it with the blueprint as it is applied now.',
  examples: [
    ['stateward recovery', 'retries, resumed calls and dead letters of the last 24 hours'],
    ['stateward recovery list', 'the dead letters'],
    ['stateward recovery requeue 0190a5c8-…', 'try one again'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--requeued', 'list: those that were requeued')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word = 'stats', id] = call.args
    if (word === 'stats' && id === undefined) return stats(call)
    if (word === 'list' && id === undefined) return list(call)
    if (word === 'requeue' && id !== undefined) return requeue(call, id)
    throw fail('SW_USAGE', 'it is: stateward recovery stats, list or requeue <id>')
  },
}

async function stats({ client, options, terminal }: VerbCall): Promise<ExitCode> {
  const answer = await (await client()).call('readRecoveryStats', {})
  if (options['output'] === 'json') await terminal.out(renderJson(answer))
  else
    await terminal.out(
      renderFields(
        [
          ['Since', answer.since],
          ['Retried', String(answer.retried)],
          ['Resumed', String(answer.resumed)],
          ['Quarantined', String(answer.quarantined)],
          ['Compensated', String(answer.compensated)],
          ['Dead', String(answer.dead)],
          ['Requeued', String(answer.requeued)],
          ['Mean time to recover', answer.mttr_ms === null ? null : `${answer.mttr_ms} ms`],
        ],
        terminal.colors,
      ),
    )
  return 0
}

const PAGE = 100

async function list(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const client = await call.client()
  const query = { namespace: givenNamespace(options), requeued: options['requeued'] === true, limit: PAGE }
  const page = await client.call('listDeadLetters', query)
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const now = terminal.clock.now()
  const columns = [
    { head: 'Id' },
    { head: 'Kind' },
    { head: 'Blueprint' },
    { head: 'Run' },
    { head: 'Tries' },
    { head: 'Age' },
    { head: 'Error', shrinks: true },
  ]
  const rows = page.items.map((item) => [
    item.dead_letter_id,
    item.kind,
    item.blueprint_ref ?? '-',
    item.run ?? '-',
    String(item.attempts),
    ageOf(item.occurred_at, now),
    String(item.error['message'] ?? ''),
  ])
  await terminal.out(rows.length === 0 ? 'no dead letters\n' : renderTable(columns, rows, { width: terminal.columns }))
  if (page.next_cursor !== null) await terminal.out(`… and older ones: only the newest ${PAGE} are shown\n`)
  return 0
}

async function requeue(call: VerbCall, id: string): Promise<ExitCode> {
  const { options, terminal } = call
  const run = await (await call.client()).call('requeueDeadLetter', { dead_letter: id })
  if (options['output'] === 'json') await terminal.out(renderJson(run))
  else await terminal.out(`run ${run.name} was started\nnext: ${commandLine(call, 'describe', 'run', run.name)}\n`)
  return 0
}
