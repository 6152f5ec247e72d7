import { Option } from 'commander'
import { fail } from '../lib/error-catalogue.ts'
import { readJson } from './json-argument.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderDocument } from './print/structured.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

type Decision = 'approve' | 'reject'

/** What the API answers to a decision, as far as it is shown. */
interface DecidedGate {
  readonly run: string
  readonly step: string
  readonly decisions: readonly { readonly decision: string }[]
  readonly min_approvals: number
}

export function defineDecision(command: Parameters<NonNullable<Verb['define']>>[0]): void {
  namespaceOption(command)
    .option('-r, --reason <text>', 'why; it is kept with the decision')
    .option('--input <file>', 'the answer, as JSON: a file, - for standard input, or the JSON itself')
    .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json', 'yaml']).default('text'))
}

/** Decides a gate: `<run> <step>`, `<run>.<step>`, or the id of the step. */
export async function decideGate(call: VerbCall, decision: Decision): Promise<ExitCode> {
  const { args, options, terminal } = call
  const [run = '', step] = args
  const gate = step === undefined ? run : `${run}.${step}`
  const reason = textOption(options, 'reason')
  const answer = await answerOf(call)
  const client = await call.client()
  const decided = await client.call(decision === 'approve' ? 'approveGate' : 'rejectGate', {
    gate,
    namespace: givenNamespace(options),
    body: {
      ...(reason === undefined ? {} : { reason }),
      ...(answer === undefined ? {} : { input: answer }),
    },
  })
  await terminal.out(renderDocument(options['output'], decided) ?? `${renderDecision(decided, decision)}\n`)
  return 0
}

/** What `--input` says; of a quarantined effect, the answer that `--retry` and `--done` stand for. */
async function answerOf({ options, terminal }: VerbCall): Promise<unknown> {
  const text = textOption(options, 'input')
  const input = text === undefined ? undefined : await readJson('--input', text, terminal)
  if (options['retry'] === true && (options['done'] === true || input !== undefined))
    throw fail('SW_USAGE', '--retry takes no output: the tool is called again')
  if (options['retry'] === true) return { answer: 'retry' }
  if (options['done'] === true) return { answer: 'done', ...(input === undefined ? {} : { output: input }) }
  return input
}

function renderDecision({ run, step, decisions, min_approvals: needed }: DecidedGate, decision: Decision): string {
  if (decision === 'reject') return `rejected step ${step} of run ${run}`
  const missing = needed - decisions.filter((each) => each.decision === 'approve').length
  return `approved step ${step} of run ${run}${missing > 0 ? `; ${missing} more approvals are needed` : ''}`
}

/** Lets the deletions of a revision through that the blast-radius limit holds back. */
export async function approveDeletions(call: VerbCall, source: string): Promise<ExitCode> {
  const revision = call.args[1]
  if (revision === undefined) throw fail('SW_USAGE', 'name the revision: approve deletions <revision>')
  const client = await call.client()
  const { deletions, revision: full } = await client.call('approveDeletions', { source, body: { revision } })
  await call.terminal.out(`${deletions} deletions of revision ${full} go through\n`)
  return 0
}
