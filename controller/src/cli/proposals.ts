import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { ChangeSet } from '../plan/change-set.ts'
import type { PlannedEffects } from '../plan/effects/effects-of.ts'
import { renderMarkdown } from '../plan/render/markdown.ts'
import { renderTerminal } from '../plan/render/terminal.ts'
import type { ChangeProposal } from './client/operations.ts'
import { createProposal } from './create-proposal.ts'
import { collect } from './json-argument.ts'
import { OUTPUT_FLAG, textOption } from './operands.ts'
import { terminalText } from './print/inline-text.ts'
import { renderProposal } from './print/proposal-description.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const PAGE = 100

export const verb: Verb = {
  arguments: '[list|create|show|plan|diff|approve|merge|reject] [proposal]',
  description:
    'A proposal is a branch proposals/* of the state repo (or agents/<namespace>/<name>/* of an agent), whoever made it: it is\n' +
    'checked and planned against the protected branch, again whenever one of the two moves, until somebody merges or rejects it.\n' +
    'A proposal is named by its id, by a unique beginning of it, or by its branch.',
  examples: [
    ['stateward proposals', 'those that are open'],
    ['stateward proposals create --title "Two of sre" --file agents/sre.yaml', 'the file as it is here'],
    ['stateward proposals create --title "Notes" --file docs/a.md=a.md --token "$TOKEN"', "as the token's agent"],
    ['stateward proposals show let-sre-restart-k3q9zt', 'who, which checks, what it would do'],
    ['stateward proposals plan let-sre -o markdown', 'its plan, as a pull request shows it'],
    ['stateward proposals diff let-sre', 'the changed lines'],
    ['stateward proposals approve let-sre --reason "as discussed"', 'agree, and let somebody else merge it'],
    ['stateward proposals merge let-sre', 'agrees, too'],
    ['stateward proposals reject let-sre --reason "not before the release"'],
  ],
  define: (command) =>
    void command
      .option('--all', 'list: also closed ones')
      .option('--author <who>', 'list: only those of user:<name>, agent:<namespace>/<name> …')
      .option('--title <text>', 'create: what it is, in a line')
      .option('--description <text>', 'create: why')
      .option('-f, --file <path[=local]>', 'create: a whole file, by path in the repository; may be repeated', collect)
      .option('--delete <path>', 'create: a file that goes; may be repeated', collect)
      .option('--run <id>', 'create: the run it comes from')
      .option('--topic <word>', 'create: a newer proposal of yours about the same takes its place')
      .option('-r, --reason <text>', 'approve, reject: why')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json', 'markdown']).default('text')),
  run(call) {
    const [word = 'list', id, ...rest] = call.args
    if (call.options['output'] === 'markdown' && word !== 'plan')
      throw fail('SW_USAGE', '-o markdown is for: stateward proposals plan <proposal>')
    if (word === 'list' && id === undefined) return list(call)
    if (word === 'create' && id === undefined) return createProposal(call)
    if (id !== undefined && rest.length === 0) {
      if (word === 'show') return show(call, id)
      if (word === 'plan') return plan(call, id)
      if (word === 'diff') return diff(call, id)
      if (word === 'approve') return approveProposal(call, id)
      if (word === 'merge') return merge(call, id)
      if (word === 'reject') return reject(call, id)
    }
    throw fail(
      'SW_USAGE',
      'it is: stateward proposals list, create --title … --file …, or show, plan, diff, approve, merge or reject <proposal>',
    )
  },
}

async function list(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const page = await (await call.client()).call('listProposals', {
    ...(options['all'] === true ? {} : { state: 'open' }),
    author: textOption(options, 'author') ?? null,
    limit: PAGE,
  })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const now = terminal.clock.now()
  const columns = [
    { head: 'Proposal' },
    { head: 'State' },
    { head: 'Checks' },
    { head: 'Risk' },
    { head: 'Author' },
    { head: 'Age' },
    { head: 'Title', shrinks: true },
  ]
  const rows = page.items.map((item) => [
    item.id,
    item.state,
    checksWord(item),
    item.risk ?? '-',
    item.author,
    ageOf(item.opened_at, now),
    item.title,
  ])
  await terminal.out(
    rows.length === 0 ? 'no open proposals\n' : renderTable(columns, rows, { width: terminal.columns }),
  )
  if (page.next_cursor !== null) await terminal.out(`… and older ones: only the newest ${PAGE} are shown\n`)
  return 0
}

function checksWord({ checks, check_error, checked_against }: ChangeProposal): string {
  if (check_error !== null) return 'error'
  if (checked_against === null) return 'pending'
  const failed = checks.filter(({ state }) => state === 'failed')
  if (failed.length > 0) return `${failed.length} failed`
  return checks.some(({ state }) => state === 'waiting') ? 'waiting' : 'passed'
}

async function show(call: VerbCall, id: string): Promise<ExitCode> {
  const { options, terminal } = call
  const client = await call.client()
  const proposal = await client.call('readProposal', { proposal: id })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(proposal))
    return 0
  }
  await terminal.out(renderProposal(proposal, terminal.colors, terminal.clock.now()))
  if (proposal.plan_digest !== null) {
    const made = (await client.call('planOfProposal', { proposal: proposal.id })) as unknown as ShownPlan
    await terminal.out(`\n${renderTerminal(made, terminal.colors)}`)
  }
  return 0
}

type ShownPlan = ChangeSet & PlannedEffects & { readonly observed: string | null }

async function plan(call: VerbCall, id: string): Promise<ExitCode> {
  const { options, terminal } = call
  const made = (await (await call.client()).call('planOfProposal', { proposal: id })) as unknown as ShownPlan
  const { output } = options
  if (output === 'json') await terminal.out(renderJson(made))
  else if (output === 'markdown') await terminal.out(renderMarkdown(made, made.observed))
  else await terminal.out(renderTerminal(made, terminal.colors))
  return 0
}

async function diff(call: VerbCall, id: string): Promise<ExitCode> {
  const { options, terminal } = call
  const found = await (await call.client()).call('diffOfProposal', { proposal: id })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(found))
    return 0
  }
  const { colors } = terminal
  const paint = (line: string) =>
    line.startsWith('+') ? colors.green(line) : line.startsWith('-') ? colors.red(line) : line
  const lines = terminalText(found.diff).split('\n')
  await terminal.out(lines.map((line) => (line.startsWith('@@') ? colors.cyan(line) : paint(line))).join('\n'))
  if (found.truncated) await terminal.err('the diff is longer: see it with git\n')
  return 0
}

/** Agrees to what a proposal would change. */
export async function approveProposal(call: VerbCall, id: string): Promise<ExitCode> {
  const { options, terminal } = call
  const reason = textOption(options, 'reason')
  const body = reason === undefined ? {} : { reason }
  const proposal = await (await call.client()).call('approveProposal', { proposal: id, body })
  const check = proposal.checks.find(({ name }) => name === 'approvals')
  const text = `approved proposal ${proposal.id}: ${check?.summary ?? 'nobody is asked'}\n`
  await terminal.out(options['output'] === 'json' ? renderJson(proposal) : text)
  return 0
}

async function merge(call: VerbCall, id: string): Promise<ExitCode> {
  const { options, terminal } = call
  const merged = await (await call.client()).call('mergeProposal', { proposal: id })
  await terminal.out(
    options['output'] === 'json' ? renderJson(merged) : `proposal ${merged.id} is merged: ${merged.landed}\n`,
  )
  return 0
}

async function reject(call: VerbCall, id: string): Promise<ExitCode> {
  const { options, terminal } = call
  const reason = textOption(options, 'reason')
  const rejected = await (await call.client()).call('rejectProposal', {
    proposal: id,
    ...(reason === undefined ? {} : { body: { reason } }),
  })
  await terminal.out(options['output'] === 'json' ? renderJson(rejected) : `proposal ${rejected.id} is rejected\n`)
  return 0
}
