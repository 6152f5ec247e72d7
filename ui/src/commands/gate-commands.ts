import type { Gate } from '../api/reads.ts'
import type { NamedCommand } from '../components/command-set.tsx'
import { commandLine, inNamespace } from '../text/shell.ts'

/** The ways to decide a gate: from the command line, with kubectl, and in Git where it is decided there; one that hides what became of an effect asks for that instead. */
export function gateCommands(
  gate: Pick<Gate, 'run' | 'namespace' | 'step' | 'mode' | 'input_schema' | 'proposal' | 'is_proposed'>,
): readonly NamedCommand[] {
  const { run, namespace, step, mode, input_schema: schema, proposal, is_proposed: isProposed } = gate
  const where = inNamespace(namespace)
  const decide = (verb: string, ...more: readonly string[]): string =>
    commandLine('stateward', verb, run, step, ...where, ...more)
  const annotate = (verb: string): string =>
    commandLine('kubectl', 'annotate', 'run', run, ...where, `stateward.dev/${verb}=${step}`)
  if (mode === 'quarantine')
    return [
      { label: 'Call the tool again', command: decide('approve', '--retry') },
      { label: 'It took place: go on with its output', command: decide('approve', '--done', '--input', 'output.json') },
      { label: 'Fail the step', command: decide('reject', '--reason', 'why') },
    ]
  const answer = schema === null ? [] : ['--input', 'answer.json']
  return [
    { label: 'Approve', command: decide('approve', ...answer, '--reason', 'looks right') },
    { label: 'Reject', command: decide('reject', '--reason', 'why') },
    ...(schema === null ? [{ label: 'Approve with kubectl', command: annotate('approve') }] : []),
    { label: 'Reject with kubectl', command: annotate('reject') },
    ...(proposal === null || !isProposed
      ? []
      : [
          {
            label: 'Approve in Git: merge its branch, in a clone',
            command: `${commandLine('git', 'fetch', 'origin', proposal)} && git merge --no-ff FETCH_HEAD && git push`,
          },
        ]),
  ]
}
