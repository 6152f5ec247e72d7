import { Hand } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Gate } from '../../api/reads.ts'
import { gateCommands } from '../../commands/gate-commands.ts'
import { Command } from '../../components/command.tsx'
import { Link } from '../../components/link.tsx'
import { JsonBlock } from '../../components/text-block.tsx'
import { Time } from '../../components/time.tsx'
import styles from './run.module.css'
import { stepHref } from './step-standing.ts'

/** What waits for somebody's decision, who may decide, and the exact commands that do. */
export function WaitingGates({ gates }: { readonly gates: readonly Gate[] }): ReactNode {
  const waiting = gates
    .filter(({ state }) => state === 'waiting')
    .sort((a, b) => a.step.localeCompare(b.step, 'en', { numeric: true }))
  const [first, ...others] = waiting
  if (first === undefined) return null
  return (
    <div className={styles['gates']}>
      <WaitingGate gate={first} />
      {others.length === 0 ? null : (
        <details className={styles['moreGates']}>
          <summary data-testid="more-gates">
            {others.length} more {others.length === 1 ? 'waits' : 'wait'}: {others.map(({ step }) => step).join(', ')}
          </summary>
          <div className={styles['gates']}>
            {others.map((gate) => (
              <WaitingGate key={gate.gate_id} gate={gate} />
            ))}
          </div>
        </details>
      )}
    </div>
  )
}

export function WaitingGate({ gate }: { readonly gate: Gate }): ReactNode {
  return (
    <section
      className={styles['gate']}
      aria-label={`${gate.step} waits for approval`}
      data-testid={`gate-${gate.step}`}
    >
      <header className={styles['gateHead']}>
        <Hand size={18} aria-hidden />
        <h2>
          <Link href={stepHref(gate.run_id, gate.step)}>{gate.step}</Link> waits for{' '}
          {gate.mode === 'quarantine' ? 'somebody who knows what became of it' : 'approval'}
        </h2>
        <span className={styles['gateSince']}>
          asked <Time at={gate.created_at} />
          {gate.timeout_at === null ? null : (
            <>
              , ends <Time at={gate.timeout_at} />
            </>
          )}
        </span>
      </header>
      {gate.message === null || gate.message === '' ? null : <p className={styles['gateMessage']}>{gate.message}</p>}
      <p className={styles['gateWho']}>
        {gate.approvers.length === 0 ? 'Anybody who may approve' : gate.approvers.join(', ')}
        {gate.min_approvals > 1 ? `, ${gate.min_approvals} of them` : ''}
        {gate.self_approval ? '' : '; not whoever started the run'}
        {gate.decisions.length === 0 ? '' : `. So far: ${gate.decisions.map(({ actor }) => actor).join(', ')}`}
      </p>
      <div className={styles['commands']}>
        {gateCommands(gate).map(({ label, command }, at) => (
          <Command key={label} label={label} command={command} testId={`gate-${gate.step}-${at}`} />
        ))}
      </div>
      {gate.input_schema === null ? null : (
        <details className={styles['details']}>
          <summary data-testid={`gate-${gate.step}-schema`}>What the answer has to be</summary>
          <JsonBlock value={gate.input_schema} label="Schema of the answer" />
        </details>
      )}
    </section>
  )
}
