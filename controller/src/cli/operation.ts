import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { fail } from '../lib/error-catalogue.ts'
import { commandLine } from './command-line.ts'
import { collect, readPairs } from './json-argument.ts'
import { givenNamespace, namespaceOf, namespaceOption, OUTPUT_FLAG } from './operands.ts'
import { renderDocument, renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'
import { waitForRun } from './wait-for-run.ts'

const PAGE = 200

export const verb: Verb = {
  arguments: '<list|run> [operation]',
  description:
    'Operations are what people who operate the installation do again and again, declared in the state repo.\n' +
    'Running one makes a run; with --wait its steps are shown until it ends.',
  examples: [
    ['stateward operation list'],
    ['stateward operation run disk-usage --wait'],
    ['stateward operation run http-check --input url=https://example.com', 'and go on without waiting'],
    ['stateward describe operation http-check', 'its inputs, and what it does'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('-i, --input <key=value>', 'run: an input; JSON keeps its type; may be repeated', collect)
      .option('-w, --wait', 'run: wait until it ends, showing its steps')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word, name] = call.args
    if (word === 'list' && name === undefined) return list(call)
    if (word === 'run' && name !== undefined) return run(call, name)
    throw fail('SW_USAGE', 'it is: stateward operation list, or run <operation>')
  },
}

async function list(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const client = await call.client()
  const page = await client.call('listServices', { namespace: givenNamespace(options), limit: PAGE })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const now = terminal.clock.now()
  const columns = [
    { head: 'Name' },
    { head: 'Does' },
    { head: 'Role' },
    { head: 'Last' },
    { head: 'Age' },
    { head: 'Description', shrinks: true },
  ]
  const rows = page.items.map((item) => [
    item.name,
    item.does,
    item.role,
    item.suspended ? 'suspended' : (item.last_run?.status ?? '-'),
    item.last_run === null ? '-' : ageOf(item.last_run.created_at, now),
    item.description,
  ])
  await terminal.out(rows.length === 0 ? 'no operations\n' : renderTable(columns, rows, { width: terminal.columns }))
  return 0
}

async function run(call: VerbCall, name: string): Promise<ExitCode> {
  const { options, terminal } = call
  const client = await call.client()
  const inputs = readPairs('--input', (options['input'] as readonly string[] | undefined) ?? [])
  const started = await client.call('runService', { service: name, namespace: namespaceOf(options), body: { inputs } })
  if (options['wait'] === true) return waitForRun(call, client, started)
  const text = `run ${started.name} was started\nnext: ${commandLine(call, 'describe', 'run', started.name)}\n`
  await terminal.out(renderDocument(options['output'], started) ?? text)
  return 0
}
