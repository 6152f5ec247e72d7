import type { ChangeProposal } from '../api/reads.ts'
import type { NamedCommand } from '../components/command-set.tsx'
import { commandLine } from '../text/shell.ts'

/** What somebody does about a proposal, with the commands that do it; of one that is closed, how to look at it. */
export function proposalCommands(
  proposal: Pick<ChangeProposal, 'id' | 'branch' | 'state' | 'base' | 'head'>,
): readonly NamedCommand[] {
  const { id, branch, state, base, head } = proposal
  const verb = (word: string, ...more: readonly string[]): string =>
    commandLine('stateward', 'proposals', word, id, ...more)
  const look: readonly NamedCommand[] = [
    { label: 'Show its plan', command: verb('plan') },
    { label: 'See the commits', command: commandLine('git', 'log', '--patch', `${base}..${head}`) },
    { label: 'See it with kubectl', command: commandLine('kubectl', 'get', 'proposal', id, '-o', 'yaml') },
  ]
  if (state !== 'open') return look
  return [
    { label: 'Agree to it, where somebody is asked', command: verb('approve', '--reason', 'looks right') },
    { label: 'Merge it', command: verb('merge') },
    { label: 'Reject it', command: verb('reject', '--reason', 'why') },
    {
      label: 'Merge it with git, in a clone',
      command: `${commandLine('git', 'fetch', 'origin', branch)} && git merge --no-ff FETCH_HEAD && git push`,
    },
    {
      label: 'Wait until it can be merged',
      command: commandLine('kubectl', 'wait', '--for=condition=Mergeable', `proposal/${id}`),
    },
    ...look,
  ]
}
