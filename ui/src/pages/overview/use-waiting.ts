import { useMemo } from 'react'
import type { Answer } from '../../api/get.ts'
import type { Budget, ChangeProposal, Gate } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { changeCommands } from '../../commands/change-commands.ts'
import { gateCommands } from '../../commands/gate-commands.ts'
import { proposalCommands } from '../../commands/proposal-commands.ts'
import type { NamedCommand } from '../../components/command-set.tsx'
import { commandLine, inNamespace } from '../../text/shell.ts'

/** Something that goes on only when a person says so. */
export interface WaitingItem {
  readonly key: string
  readonly what: 'gate' | 'change' | 'proposal' | 'budget'
  /** In a word: what is asked, or how much is at stake. */
  readonly kind: string
  readonly title: string
  readonly href: string
  readonly detail: string
  readonly since: string | null
  readonly commands: readonly NamedCommand[]
}

interface Waiting {
  readonly items: readonly WaitingItem[]
  /** There are more than were read. */
  readonly isMore: boolean
  readonly isPending: boolean
  readonly error: Error | null
}

type Change = Answer<'/api/v1/changes'>['items'][number]

const SHOWN = 200

/** Everything that waits for somebody, the longest first, with what that person types. */
export function useWaiting(): Waiting {
  const gates = useRead('/api/v1/gates', { query: { state: 'waiting', order: 'asc', limit: SHOWN } })
  const changes = useRead('/api/v1/changes')
  const proposals = useRead('/api/v1/proposals', { query: { state: 'open', limit: SHOWN } })
  const budgets = useRead('/api/v1/budgets')
  const reads = [gates, changes, proposals, budgets]
  const items = useMemo(
    () => [
      ...(gates.data?.items ?? []).map(ofGate),
      ...(changes.data?.items ?? []).map(ofChange),
      ...(proposals.data?.items ?? []).map(ofProposal).toReversed(),
      ...(budgets.data?.items ?? []).filter(({ exhausted_at: at }) => at !== null).map(ofBudget),
    ],
    [gates.data, changes.data, proposals.data, budgets.data],
  )
  return {
    items,
    isMore: gates.data?.next_cursor != null || proposals.data?.next_cursor != null,
    isPending: reads.some(({ isPending }) => isPending),
    error: reads.find(({ data, error }) => data === undefined && error !== null)?.error ?? null,
  }
}

function ofGate(gate: Gate): WaitingItem {
  return {
    key: gate.gate_id,
    what: 'gate',
    kind: gate.mode === 'quarantine' ? 'unknown outcome' : 'gate',
    title: `${gate.step} · ${gate.run}`,
    href: `/runs/${encodeURIComponent(gate.run_id)}`,
    detail: gate.message ?? `a gate of ${gate.blueprint}`,
    since: gate.created_at,
    commands: gateCommands(gate),
  }
}

function ofChange(change: Change): WaitingItem {
  return {
    key: `change ${change.kind} ${change.namespace} ${change.name}`,
    what: 'change',
    kind: change.action,
    title: `${change.kind} ${change.name}`,
    href: '/approvals',
    detail: change.message,
    since: null,
    commands: changeCommands(change),
  }
}

function ofProposal(proposal: ChangeProposal): WaitingItem {
  return {
    key: proposal.id,
    what: 'proposal',
    kind: proposal.risk === null ? 'proposal' : `${proposal.risk} risk`,
    title: proposal.title,
    href: `/proposals/${encodeURIComponent(proposal.id)}`,
    detail: `a proposal by ${proposal.author}, ${proposal.files.length} ${proposal.files.length === 1 ? 'file' : 'files'}`,
    since: proposal.opened_at,
    commands: proposalCommands(proposal),
  }
}

/** A spent budget is raised by a fifth, as a beginning. */
const RAISE = 1.2

function ofBudget({ namespace, name, used_usd: used, max_usd: max, exhausted_at: at }: Budget): WaitingItem {
  return {
    key: `budget ${namespace} ${name}`,
    what: 'budget',
    kind: 'budget',
    title: `Budget ${name} is spent`,
    href: '/costs',
    detail: `$${used} of $${max}`,
    since: at,
    commands: [
      {
        label: 'Raise it',
        command: commandLine(
          ...['stateward', 'budget', 'raise', name, ...inNamespace(namespace)],
          ...['--to', String(Math.ceil(Number(max) * RAISE))],
        ),
      },
    ],
  }
}
