import { Option } from 'commander'
import { shortRevision } from '../lib/short-revision.ts'
import type { Why } from './client/operations.ts'
import { namespaceOf, namespaceOption, OUTPUT_FLAG, readTarget } from './operands.ts'
import { renderFields, renderSection } from './print/fields.ts'
import { terminalText } from './print/inline-text.ts'
import { renderDocument } from './print/structured.ts'
import type { Colors } from './terminal.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<object> [name]',
  description:
    'Tells what is behind the present state of an object: the commit it stands on, the proposal and the pull request it came\n' +
    'by, who approved it, what policies decided about it, and the run that proposed it.',
  examples: [
    ['stateward why agent/sre'],
    ['stateward why policy production -n prod'],
    ['stateward why agent/sre -o json', 'for scripts'],
  ],
  define: (command) =>
    void namespaceOption(command).addOption(
      new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json', 'yaml']).default('text'),
    ),
  async run({ args, options, terminal, client }) {
    const { kind, name } = readTarget(args[0] ?? '', args[1])
    const query = { kind: kind.kind, name, ...(kind.scope === 'Cluster' ? {} : { namespace: namespaceOf(options) }) }
    const why = await (await client()).call('whyObject', query)
    await terminal.out(renderDocument(options['output'], why) ?? renderWhy(why, terminal.colors))
    return 0
  },
}

function renderWhy(why: Why, colors: Colors): string {
  const { object, commit, applied, proposal, approvals, decisions, run, waits } = why
  const where = object.namespace === '' ? object.name : `${object.namespace}/${object.name}`
  const person = ({ name, email }: { readonly name: string; readonly email: string }) => `${name} <${email}>`
  const fields: [string, string | null][] = [
    ['Object', `${object.kind} ${where}, generation ${why.generation}`],
    ['Commit', `${shortRevision(why.revision)}${commit === null ? '' : ` ${commit.subject}`}`],
    ['Author', commit === null ? null : person(commit.author)],
    ['Committer', commit === null ? null : person(commit.committer)],
    ['Signed by', commit?.signed_by ?? null],
    ['Applied', applied === null ? null : `${applied.at} (event ${applied.seq})`],
    ['Proposal', proposal === null ? null : `${proposal.id}: ${proposal.title}`],
    ['Proposed by', proposal?.author ?? null],
    ['Merged by', proposal?.merged_by ?? null],
    ['Pull request', proposal?.pull_request ?? null],
    ['Run', run === null ? null : `${run.name} (${run.blueprint})`],
    ['Waits', waits],
  ]
  const said = approvals.map(
    ({ decision, actor, source, at, reason }) =>
      `${decision === 'approve' ? 'approved' : 'rejected'} by ${actor} (${source}) at ${at}${reason === null ? '' : `: ${reason}`}`,
  )
  const decided = decisions.map(
    ({ policy, version, rule, effect, reason, risk, id }) =>
      `${effect}, risk ${risk}: policy ${policy ?? '-'}${version === null ? '' : ` (version ${version})`}, rule ${rule ?? '-'}: ${reason} [${id}]`,
  )
  const lines = (texts: readonly string[]) => texts.map((text) => `${terminalText(text)}\n`).join('')
  return [
    renderFields(
      fields.map(([label, text]) => [label, text === null ? null : terminalText(text)] as const),
      colors,
    ),
    renderSection('Approvals', lines(said), colors),
    renderSection('Policy decisions', lines(decided), colors),
  ].join('')
}
