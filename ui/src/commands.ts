/** A command somebody may run, and what it does. */
export interface ShownCommand {
  readonly does: string
  readonly command: string
}

const DEFAULT_NAMESPACE = 'default'

/** A word as a shell takes it. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** `command a b -n team`, with the namespace where it is not the usual one. */
export function stateward(words: readonly string[], namespace: string = DEFAULT_NAMESPACE): string {
  const place = namespace === '' || namespace === DEFAULT_NAMESPACE ? [] : ['-n', namespace]
  return ['stateward', ...words, ...place].map(shellWord).join(' ')
}

export function kubectl(words: readonly string[], namespace: string = DEFAULT_NAMESPACE): string {
  const place = namespace === '' || namespace === DEFAULT_NAMESPACE ? [] : ['-n', namespace]
  return ['kubectl', ...words, ...place].map(shellWord).join(' ')
}

/** What decides a gate of a run; one that hides what became of an effect asks for that instead. */
export function gateCommands(gate: {
  readonly run: string
  readonly namespace: string
  readonly step: string
  readonly mode: string
  readonly proposal: string | null
  readonly is_proposed: boolean
}): readonly ShownCommand[] {
  const { run, namespace, step } = gate
  if (gate.mode === 'quarantine')
    return [
      { does: 'It took effect', command: stateward(['approve', run, step, '--done'], namespace) },
      { does: 'It took no effect: do it again', command: stateward(['approve', run, step, '--retry'], namespace) },
      { does: 'Give up', command: stateward(['reject', run, step], namespace) },
    ]
  return [
    { does: 'Approve', command: stateward(['approve', run, step], namespace) },
    { does: 'Reject', command: stateward(['reject', run, step], namespace) },
    {
      does: 'Approve with kubectl',
      command: kubectl(['annotate', 'run', run, `stateward.dev/approve=${step}`], namespace),
    },
    ...(gate.proposal !== null && gate.is_proposed ? [mergeCommand(gate.proposal)] : []),
  ]
}

/** Merges a branch of a proposal with git alone. */
export function mergeCommand(branch: string): ShownCommand {
  const name = shellWord(branch)
  return { does: 'Approve with git', command: `git fetch origin ${name} && git merge --no-ff FETCH_HEAD && git push` }
}

export function proposalCommands(proposal: { readonly id: string; readonly branch: string }): readonly ShownCommand[] {
  const name = proposal.branch.split('/').at(-1) ?? proposal.id
  return [
    { does: 'Look at it', command: stateward(['proposals', 'show', name]) },
    { does: 'Merge', command: stateward(['proposals', 'merge', name]) },
    { does: 'Reject', command: stateward(['proposals', 'reject', name]) },
    { ...mergeCommand(proposal.branch), does: 'Merge with git' },
  ]
}

export function changeCommands(change: {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}): readonly ShownCommand[] {
  const object = `${change.kind.toLowerCase()}/${change.name}`
  return [
    { does: 'Approve', command: stateward(['approve', object], change.namespace) },
    { does: 'Reject', command: stateward(['reject', object], change.namespace) },
    { does: 'Why it waits', command: stateward(['why', object], change.namespace) },
  ]
}

export function driftCommands(drift: {
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string }
  readonly field: string
}): readonly ShownCommand[] {
  const { kind, namespace, name } = drift.object
  const object = `${kind.toLowerCase()}/${name}`
  return [
    { does: 'Show it', command: stateward(['drift', 'show', object], namespace) },
    { does: 'Bring back what Git says', command: stateward(['drift', 'enforce', object], namespace) },
    {
      does: 'Take over what is live',
      command: stateward(['drift', 'adopt', object, '--field', drift.field], namespace),
    },
  ]
}
