import type { Gate } from '../../api/reads.ts'
import { shellWord } from '../../text/shell.ts'

export interface Told {
  readonly label: string
  readonly command: string
}

type Asked = Pick<Gate, 'run' | 'namespace' | 'step' | 'mode' | 'proposal' | 'is_proposed' | 'input_schema'>

/** What somebody types to decide a gate, exactly: by the CLI, by kubectl, or by git where a branch decides. Pure. */
export function gateCommands(gate: Asked): readonly Told[] {
  const of = `${gate.run} ${shellWord(gate.step)}${gate.namespace === 'default' ? '' : ` -n ${gate.namespace}`}`
  if (gate.mode === 'quarantine')
    return [
      { label: 'It took no effect: call it again', command: `stateward approve ${of} --retry` },
      { label: 'It took effect, with this output', command: `stateward approve ${of} --done --input output.json` },
      { label: 'Fail the step', command: `stateward reject ${of} --reason "…"` },
    ]
  const branch = gate.proposal
  const byGit =
    branch !== null && gate.is_proposed
      ? [{ label: 'Approve by merging its branch', command: `git fetch && git merge origin/${branch} && git push` }]
      : []
  const input = gate.input_schema === null ? '' : ' --input answer.json'
  const annotate = `kubectl annotate run ${gate.run}${gate.namespace === 'default' ? '' : ` -n ${gate.namespace}`}`
  return [
    ...byGit,
    { label: 'Approve', command: `stateward approve ${of}${input}` },
    { label: 'Reject', command: `stateward reject ${of} --reason "…"` },
    ...(gate.input_schema === null
      ? [{ label: 'Approve with kubectl', command: `${annotate} stateward.dev/approve=${shellWord(gate.step)}` }]
      : []),
  ]
}
