import { Hand } from 'lucide-react'
import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { changeCommands } from '../../commands/change-commands.ts'
import { gateCommands } from '../../commands/gate-commands.ts'
import { proposalCommands } from '../../commands/proposal-commands.ts'
import { Command } from '../../components/command.tsx'
import type { NamedCommand } from '../../components/command-set.tsx'
import { Empty, Failure, Skeleton } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { commandLine, inNamespace } from '../../text/shell.ts'
import { Line, Lines } from './lines.tsx'
import styles from './waiting.module.css'

interface Item {
  readonly key: string
  readonly kind: string
  readonly title: string
  readonly href: string
  readonly detail: string
  readonly since: string | null
  readonly commands: readonly NamedCommand[]
}

const SHOWN = 50

/** What goes on only when a person says so, with what that person types. */
export function Waiting(): ReactNode {
  const gates = useRead('/api/v1/gates', { query: { state: 'waiting', limit: SHOWN } })
  const changes = useRead('/api/v1/changes')
  const proposals = useRead('/api/v1/proposals', { query: { state: 'open', limit: SHOWN } })
  const budgets = useRead('/api/v1/budgets')
  const reads = [gates, changes, proposals, budgets]
  const error = reads.find((each) => each.data === undefined && each.error !== null)?.error
  const items: readonly Item[] = [
    ...(gates.data?.items ?? []).map(
      (gate): Item => ({
        key: gate.gate_id,
        kind: gate.mode === 'quarantine' ? 'unknown outcome' : 'gate',
        title: `${gate.run} · ${gate.step}`,
        href: `/runs/${encodeURIComponent(gate.run_id)}`,
        detail: gate.message ?? `a gate of ${gate.blueprint}`,
        since: gate.created_at,
        commands: gateCommands(gate),
      }),
    ),
    ...(changes.data?.items ?? []).map(
      (change): Item => ({
        key: `change ${change.kind} ${change.namespace} ${change.name}`,
        kind: change.action,
        title: `${change.kind} ${change.name}`,
        href: '/approvals',
        detail: change.message,
        since: null,
        commands: changeCommands(change),
      }),
    ),
    ...(proposals.data?.items ?? []).map(
      (proposal): Item => ({
        key: proposal.id,
        kind: proposal.risk === null ? 'proposal' : `${proposal.risk} risk`,
        title: proposal.title,
        href: `/proposals/${encodeURIComponent(proposal.id)}`,
        detail: `by ${proposal.author}, ${proposal.files.length} ${proposal.files.length === 1 ? 'file' : 'files'}`,
        since: proposal.opened_at,
        commands: proposalCommands(proposal),
      }),
    ),
    ...(budgets.data?.items ?? []).flatMap((budget): Item[] =>
      budget.exhausted_at === null
        ? []
        : [
            {
              key: `budget ${budget.namespace} ${budget.name}`,
              kind: 'budget',
              title: `Budget ${budget.name} is spent`,
              href: '/costs',
              detail: `$${budget.used_usd} of $${budget.max_usd}`,
              since: budget.exhausted_at,
              commands: [
                {
                  label: 'Raise it',
                  command: commandLine(
                    ...['stateward', 'budget', 'raise', budget.name, ...inNamespace(budget.namespace)],
                    ...['--to', String(Math.ceil(Number(budget.max_usd) * 1.2))],
                  ),
                },
              ],
            },
          ],
    ),
  ]
  if (items.length === 0 && error !== undefined && error !== null) return <Failure error={error} />
  if (items.length === 0 && reads.some(({ isPending }) => isPending))
    return (
      <div className={styles['pending']}>
        <Skeleton lines={4} />
      </div>
    )
  if (items.length === 0)
    return (
      <Empty title="Nothing waits for you" icon={Hand}>
        Gates, changes that need an approval, and open proposals stand here, with the commands that decide them.
      </Empty>
    )
  return (
    <div className={styles['scroll']}>
      <Lines>
        {items.map((item, at) => (
          <Line
            key={item.key}
            testId="waiting-item"
            title={item.title}
            href={item.href}
            detail={item.detail}
            end={
              <>
                {item.since === null ? null : <Time at={item.since} />}
                <Status value={item.kind} tone="wait" />
              </>
            }
            below={
              <details className={styles['commands']} open={at === 0}>
                <summary data-testid="waiting-commands">What to type</summary>
                <div className={styles['list']}>
                  {item.commands.map(({ label, command }) => (
                    <Command key={label} label={label} command={command} />
                  ))}
                </div>
              </details>
            }
          />
        ))}
      </Lines>
    </div>
  )
}
