import type { UseQueryResult } from '@tanstack/react-query'
import { CircleCheck } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Answer } from '../../api/get.ts'
import type { Gate, HeldChange } from '../../api/reads.ts'
import { useRead, useReadList } from '../../api/use-read.ts'
import { changeCommands } from '../../commands/change-commands.ts'
import { gateCommands } from '../../commands/gate-commands.ts'
import { Button } from '../../components/button.tsx'
import { CommandGrid } from '../../components/command-set.tsx'
import { Link } from '../../components/link.tsx'
import { Card, PageFrame } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { JsonBlock } from '../../components/text-block.tsx'
import { Time } from '../../components/time.tsx'
import { Together } from '../../components/together.tsx'
import styles from '../proposals/proposal.module.css'
import { ProposalsNav } from '../proposals/proposals-nav.tsx'

/** What waits for somebody to say yes or no, with the commands that say it; and what was said before. */
export function Page(): ReactNode {
  const gates = useReadList('/api/v1/gates', { query: { state: 'waiting', order: 'asc', limit: 50 } })
  const held = useRead('/api/v1/changes')
  const decided = useRead('/api/v1/gates', { query: { limit: 50 } })
  return (
    <PageFrame
      title="Waiting for somebody"
      lead="Runs stand at gates and changes of objects are held back until somebody who is asked agrees. The one that waits longest comes first."
    >
      <ProposalsNav />
      <Together of={[gates, held, decided]}>
        <Card
          title="Gates of runs"
          flush
          testId="gates"
          aside={gates.data === undefined ? '' : `${gates.data.length} waiting`}
        >
          <Loaded of={gates} lines={6}>
            {(items: readonly Gate[]) =>
              items.length === 0 ? (
                <Empty title="No run waits for anybody" icon={CircleCheck}>
                  A step of kind <code>gate</code>, or a policy that asks for an approval, would show here.
                </Empty>
              ) : (
                <ul>
                  {items.map((gate) => (
                    <WaitingGate key={gate.gate_id} gate={gate} />
                  ))}
                  {gates.hasNextPage ? (
                    <li className={styles['item']}>
                      <Button onClick={() => void gates.fetchNextPage()} testId="gates-more">
                        More of them
                      </Button>
                    </li>
                  ) : null}
                </ul>
              )
            }
          </Loaded>
        </Card>
        <Card
          title="Changes held back at the head"
          flush
          testId="held-changes"
          aside={held.data === undefined ? '' : `${held.data.items.length} held`}
        >
          <Loaded of={held} lines={3}>
            {({ items }) =>
              items.length === 0 ? (
                <Empty title="Everything that was merged is applied" icon={CircleCheck}>
                  An object that policy asks about keeps its last good revision until somebody agrees; the rest of a
                  commit applies.
                </Empty>
              ) : (
                <ul>
                  {items.map((change) => (
                    <Held key={`${change.kind}/${change.namespace}/${change.name}`} change={change} />
                  ))}
                </ul>
              )
            }
          </Loaded>
        </Card>
        <Decided gates={decided} />
      </Together>
    </PageFrame>
  )
}

function WaitingGate({ gate }: { readonly gate: Gate }): ReactNode {
  return (
    <li className={styles['item']} data-testid="gate">
      <div className={styles['itemHead']}>
        <span className={styles['itemName']}>
          <Link href={`/runs/${gate.run_id}`}>{gate.run}</Link> at <code>{gate.step}</code>
        </span>
        <Status
          value={gate.mode === 'quarantine' ? 'outcome unknown' : 'waiting'}
          tone={gate.mode === 'quarantine' ? 'bad' : 'wait'}
        />
        <span className={styles['spacer']} />
        <span className="faint">
          asked <Time at={gate.created_at} />
          {gate.timeout_at === null ? null : (
            <>
              , ends <Time at={gate.timeout_at} />
            </>
          )}
        </span>
      </div>
      {gate.message === null ? null : <p className={styles['question']}>{gate.message}</p>}
      <p className="faint">
        {gate.approvers.length === 0 ? 'Whoever may decide gates' : gate.approvers.join(', ')}; {gate.min_approvals}{' '}
        {gate.min_approvals === 1 ? 'approval' : 'approvals'}
        {gate.self_approval ? '' : ', not by whoever started the run'}
        {gate.decisions.length === 0
          ? ''
          : `; so far ${gate.decisions.map(({ actor, decision }) => `${actor}: ${decision}`).join(', ')}`}
      </p>
      {gate.input_schema === null ? null : (
        <JsonBlock value={gate.input_schema} label="The answer has to fit this schema" />
      )}
      <CommandGrid commands={gateCommands(gate)} testId="gate" />
    </li>
  )
}

function Held({ change }: { readonly change: HeldChange }): ReactNode {
  return (
    <li className={styles['item']} data-testid="held-change">
      <div className={styles['itemHead']}>
        <span className={styles['itemName']}>
          {change.action} {change.kind}{' '}
          {change.namespace === '' || change.namespace === 'default' ? '' : `${change.namespace}/`}
          {change.name}
        </span>
        <Status value={change.reason} tone={change.reason === 'PolicyDenied' ? 'bad' : 'wait'} />
        <span className={styles['spacer']} />
        {change.file === null ? null : <code className="faint">{change.file}</code>}
      </div>
      <p>{change.message}</p>
      {change.fields.length === 0 ? null : <p className="faint">Changes {change.fields.join(', ')}</p>}
      <p className="faint">
        {change.approvers.length === 0 ? 'Nobody has agreed yet.' : `Agreed: ${change.approvers.join(', ')}.`}
      </p>
      <CommandGrid commands={changeCommands(change)} testId="held-change" />
    </li>
  )
}

/** The last gates that are over. */
function Decided({ gates }: { readonly gates: UseQueryResult<Answer<'/api/v1/gates'>> }): ReactNode {
  return (
    <Card title="Decided lately" flush testId="gates-decided">
      <Loaded of={gates} lines={4}>
        {({ items }) => {
          const over = items.filter(({ state }) => state !== 'waiting')
          return over.length === 0 ? (
            <Empty title="Nothing was decided yet">Decisions stay here with who made them and why.</Empty>
          ) : (
            <ul>
              {over.map((gate) => (
                <li key={gate.gate_id} className={styles['item']}>
                  <div className={styles['itemHead']}>
                    <span className={styles['itemName']}>
                      <Link href={`/runs/${gate.run_id}`}>{gate.run}</Link> at <code>{gate.step}</code>
                    </span>
                    <Status value={gate.state} look="plain" />
                    <span className={styles['spacer']} />
                    <span className="faint">
                      <Time at={gate.decided_at ?? gate.created_at} />
                    </span>
                  </div>
                  {gate.decisions.map(({ actor, decision, reason }) => (
                    <p key={actor} className="faint">
                      {actor}: {decision}
                      {reason === null ? '' : `, “${reason}”`}
                    </p>
                  ))}
                </li>
              ))}
            </ul>
          )
        }}
      </Loaded>
    </Card>
  )
}
