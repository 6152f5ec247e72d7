import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import { type Backtest, backtest } from '../policy/backtest.ts'
import { type CaseResult, readCases, runCase } from '../policy/cases.ts'
import { requestOf } from '../policy/decision-row.ts'
import type { DecisionRow } from '../store/journal.ts'
import { firstItems } from './client/pages.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { readPolicyFiles } from './policy-files.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const PAGE = 50
/** Recorded decisions a backtest reads at most. */
const MAX_BACKTEST = 1_000_000

export const verb: Verb = {
  arguments: '[list|decisions|test|backtest] [file…]',
  description:
    'Policies say who may do what, and what needs whose approval. `test` runs files of cases against the policies in the same files and folders, without a server;\n' +
    '`backtest` asks the policies of files about what was decided in the past.\n\nExit code of test: 0 when all cases come out as expected, 1 otherwise.',
  examples: [
    ['stateward policy list', 'the versions that were in force, the newest first'],
    ['stateward policy decisions --effect deny --since 24h'],
    ['stateward policy test policies', 'policies and their cases in a folder'],
    ['stateward policy backtest policies/production.yaml --since 7d'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--policy <name>', 'list, decisions: only of this policy')
      .addOption(
        new Option('--effect <effect>', 'decisions: only these').choices(['allow', 'deny', 'require_approval']),
      )
      .option('--since <duration>', 'decisions, backtest: only of this time: 24h, 7d')
      .option('--limit <count>', 'list, decisions: at most so many', String(PAGE))
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word = 'list', ...files] = call.args
    if (word === 'list' && files.length === 0) return list(call)
    if (word === 'decisions' && files.length === 0) return decisions(call)
    if (word === 'test') return test(call, files.length === 0 ? ['policies'] : files)
    if (word === 'backtest') return runBacktest(call, files.length === 0 ? ['policies'] : files)
    throw fail('SW_USAGE', 'it is: stateward policy list, decisions, test [file…] or backtest [file…]')
  },
}

async function list(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const name = textOption(options, 'policy')
  const query = { namespace: givenNamespace(options), ...(name === undefined ? {} : { name }) }
  const { items } = await firstItems(await call.client(), 'listPolicyVersions', query, limitOf(call))
  if (options['output'] === 'json') return json(call, { items })
  const now = terminal.clock.now()
  const columns = ['Policy', 'Version', 'Mode', 'Enforcement', 'Rules', 'Age', 'By'].map((head) => ({
    head,
    shrinks: head === 'Policy',
  }))
  const rows = items.map((item) => [
    `${item.namespace}/${item.name}`,
    String(item.version),
    String(item.spec['evaluationMode'] ?? 'first_match'),
    String(item.spec['enforcement'] ?? 'enforce'),
    String((item.spec['rules'] as unknown[] | undefined)?.length ?? 0),
    ageOf(item.activated_at, now),
    item.activated_by,
  ])
  await terminal.out(rows.length === 0 ? 'no policies\n' : renderTable(columns, rows, { width: terminal.columns }))
  return 0
}

async function decisions(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const policy = textOption(options, 'policy')
  const namespace = givenNamespace(options)
  const since = sinceOf(call)
  const query = {
    namespace,
    ...(policy === undefined ? {} : { policy: policy.includes('/') ? policy : `${namespace ?? 'default'}/${policy}` }),
    ...(options['effect'] === undefined ? {} : { effect: options['effect'] as 'deny' }),
    ...(since === null ? {} : { since }),
  }
  const { items, more } = await firstItems(await call.client(), 'listPolicyDecisions', query, limitOf(call))
  if (options['output'] === 'json') return json(call, { items })
  const now = terminal.clock.now()
  const columns = ['Age', 'Effect', 'Action', 'Subject', 'Policy', 'Rule'].map((head) => ({
    head,
    shrinks: head === 'Rule' || head === 'Subject' || head === 'Policy',
  }))
  const rows = items.map((item) => [
    ageOf(item.decided_at, now),
    item.effect,
    item.action,
    item.subject,
    item.policy === null ? '(only recorded)' : `${item.policy}@${item.policy_version}`,
    item.rule ?? '-',
  ])
  await terminal.out(rows.length === 0 ? 'no decisions\n' : renderTable(columns, rows, { width: terminal.columns }))
  if (more) await terminal.out('… and older ones: --limit shows more\n')
  return 0
}

async function test(call: VerbCall, paths: readonly string[]): Promise<ExitCode> {
  const { options, terminal } = call
  const { policies, cases } = await readPolicyFiles(paths, terminal.cwd)
  if (cases.length === 0)
    throw fail('SW_USAGE', `no cases in ${paths.join(', ')}: write a file with a list under cases, beside the policies`)
  const now = terminal.clock.now()
  const results = cases.flatMap(({ file, document }) => {
    try {
      return readCases(document, now).map((each) => ({ file, ...runCase(policies, each) }))
    } catch (cause) {
      throw fail('SW_USAGE', `${file}: ${(cause as Error).message}`, { cause })
    }
  })
  const failed = results.filter(({ differences }) => differences.length > 0).length
  if (options['output'] === 'json')
    await terminal.out(
      renderJson({ items: results.map(({ verdict, ...rest }) => ({ ...rest, effect: verdict.effect })), failed }),
    )
  else {
    for (const result of results) await terminal.out(resultText(result, terminal.colors))
    const all = `${results.length} ${results.length === 1 ? 'case' : 'cases'}`
    await terminal.out(failed === 0 ? `${all}: as expected\n` : `${all}, ${failed} otherwise than expected\n`)
  }
  return failed === 0 ? 0 : 1
}

function resultText(
  { file, name, verdict, differences }: CaseResult & { readonly file: string },
  colors: VerbCall['terminal']['colors'],
): string {
  if (differences.length === 0) return `${colors.green('ok')}   ${name}\n`
  const why = [...differences, `because: ${verdict.reason}`].map((line) => `       ${line}\n`)
  return `${colors.red('not')}  ${name} (${file})\n${why.join('')}`
}

async function runBacktest(call: VerbCall, paths: readonly string[]): Promise<ExitCode> {
  const { options, terminal } = call
  const { policies } = await readPolicyFiles(paths, terminal.cwd)
  if (policies.length === 0) throw fail('SW_USAGE', `there is no policy in ${paths.join(', ')}`)
  const since = sinceOf(call)
  const query = { namespace: givenNamespace(options), ...(since === null ? {} : { since }) }
  const { items } = await firstItems(await call.client(), 'listPolicyDecisions', query, MAX_BACKTEST)
  const result = backtest(
    policies,
    items.map((item) => ({
      decision_id: item.decision_id,
      effect: item.effect,
      request: requestOf({ inputs: item.inputs as DecisionRow['inputs'], decided_at: new Date(item.decided_at) }),
    })),
  )
  if (options['output'] === 'json') return json(call, { ...result })
  await terminal.out(backtestText(result, terminal.columns))
  return 0
}

function backtestText({ decisions: all, unknown, was, would, flips, flipped }: Backtest, width: number | null): string {
  if (all === 0) return 'no decisions were recorded in this time\n'
  const count = (n: number) => n.toLocaleString('en')
  const lines = [
    `would have denied ${count(would.deny)} of ${count(all)} (${count(was.deny)} were denied)`,
    `would have asked for approval of ${count(would.require_approval)} (${count(was.require_approval)} were asked for)`,
    ...(unknown === 0 ? [] : [`${count(unknown)} were too large to be kept: nothing is known of them`]),
  ]
  if (flipped === 0) return `${lines.join('\n')}\n`
  const columns = ['Was', 'Would be', 'Action', 'Subject', 'Rule'].map((head) => ({ head, shrinks: head === 'Rule' }))
  const rows = flips.map(({ was: before, would: after, request, rule }) => [
    before,
    after,
    request.action,
    request.subject.principal,
    rule ?? '-',
  ])
  const rest = flipped > flips.length ? `… and ${count(flipped - flips.length)} more\n` : ''
  return `${lines.join('\n')}\n\n${renderTable(columns, rows, { width })}${rest}`
}

async function json({ terminal }: VerbCall, value: object): Promise<ExitCode> {
  await terminal.out(renderJson(value))
  return 0
}

function limitOf({ options }: VerbCall): number {
  const limit = Number(options['limit'])
  if (!Number.isInteger(limit) || limit < 1) throw fail('SW_USAGE', '--limit takes a number from 1 on')
  return limit
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
