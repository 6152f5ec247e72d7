import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Card } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { whole } from '../../text/numbers.ts'
import styles from './run.module.css'

/** What policies said about what a run, or one step of it, wanted to do. */
export function DecisionsPanel(props: { readonly runId: string; readonly stepId?: string }): ReactNode {
  const decisions = useRead('/api/v1/policies/decisions', { query: { run_id: props.runId, limit: 500 } })
  return (
    <Loaded of={decisions} lines={6}>
      {({ items }) => {
        const own = items.filter(({ step_id }) => props.stepId === undefined || step_id === props.stepId)
        if (own.length === 0)
          return (
            <Empty title="No policy was asked">
              Policies that match what a run does decide about it, and are listed here.
            </Empty>
          )
        return (
          <Card title={`Decisions (${whole(own.length)})`} flush>
            {own.map((each) => (
              <article key={each.decision_id} className={styles['decision']}>
                <div className={styles['decisionHead']}>
                  <Status value={each.effect} />
                  <strong>{each.action}</strong>
                  <span className="quiet">
                    {each.resource_type} {each.resource_name}
                  </span>
                  <span className="quiet">
                    <Time at={each.decided_at} />
                  </span>
                </div>
                <p>{each.reason}</p>
                <p className={styles['none']}>
                  {each.policy === null
                    ? 'no policy decided'
                    : `policy ${each.policy}, version ${each.policy_version ?? '–'}`}
                  {each.rule === null ? '' : `, rule ${each.rule}`}; risk {each.risk}; for {each.subject}
                </p>
              </article>
            ))}
          </Card>
        )
      }}
    </Loaded>
  )
}
