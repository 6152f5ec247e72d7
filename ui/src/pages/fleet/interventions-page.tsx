import { Hand } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Intervention } from '../../api/reads.ts'
import { useReadList } from '../../api/use-read.ts'
import { Button } from '../../components/button.tsx'
import { Command } from '../../components/command.tsx'
import { ChoiceField, FilterBar, useFilters } from '../../components/filters.tsx'
import { Link } from '../../components/link.tsx'
import { Card, PageFrame } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { commandLine, inNamespace } from '../../text/shell.ts'
import styles from './fleet.module.css'
import { FleetNav } from './fleet-nav.tsx'

const STATES = ['pending', 'acknowledged', 'applied', 'rejected', 'expired'] as const

/** What was done to agents at once, and what became of it. */
export function Page(): ReactNode {
  const [filters, setFilter] = useFilters('state', 'in_force')
  const state = STATES.find((each) => each === filters.state)
  const found = useReadList('/api/v1/interventions', {
    query: { limit: 50, state, in_force: filters.in_force === '' ? undefined : filters.in_force === 'true' },
  })
  return (
    <PageFrame
      title="Interventions"
      lead="A pause, a limit or an end that takes effect at once. Each is proposed as a commit, too, and holds until it is merged, resumed or over."
    >
      <FleetNav />
      <FilterBar>
        <ChoiceField
          label="State"
          value={filters.state}
          choices={STATES}
          onChange={(value) => setFilter('state', value)}
          testId="interventions-state"
        />
        <ChoiceField
          label="In force"
          value={filters.in_force}
          choices={[
            ['true', 'yes'],
            ['false', 'no'],
          ]}
          onChange={(value) => setFilter('in_force', value)}
          testId="interventions-in-force"
        />
      </FilterBar>
      <Card title="The newest first" flush testId="interventions">
        <Loaded of={found} lines={6}>
          {(items: readonly Intervention[]) =>
            items.length === 0 ? (
              <Empty title="There are none" icon={Hand}>
                <Command
                  label="Pause an agent in under a second"
                  command={'stateward pause <agent> --reason "why"'}
                  testId="interventions-pause"
                />
              </Empty>
            ) : (
              <>
                <ul className={styles['list']}>
                  {items.map((each) => (
                    <InterventionItem key={each.id} intervention={each} withAgent />
                  ))}
                </ul>
                {found.hasNextPage ? (
                  <div className={styles['item']}>
                    <Button onClick={() => void found.fetchNextPage()} testId="interventions-more">
                      Older ones
                    </Button>
                  </div>
                ) : null}
              </>
            )
          }
        </Loaded>
      </Card>
    </PageFrame>
  )
}

/** One of them: what, by whom and why, how far it is, and how it is ended. */
export function InterventionItem(props: {
  readonly intervention: Intervention
  readonly withAgent?: boolean
}): ReactNode {
  const { intervention: each, withAgent = false } = props
  return (
    <li className={styles['item']}>
      <div className={styles['itemHead']}>
        <span className={styles['itemName']}>
          {each.action}
          {withAgent ? (
            <>
              {' '}
              <Link href={`/agents/${each.namespace}/${each.agent}`}>{each.agent}</Link>
            </>
          ) : null}
        </span>
        <Status value={each.state} look="plain" />
        {each.in_force ? <Status value="in force" tone="warn" /> : null}
        <span className={styles['spacer']} />
        <span className="faint">
          <Time at={each.issued_at} />
        </span>
      </div>
      {each.reason === '' ? null : <p className={styles['quote']}>{each.reason}</p>}
      <div className={styles['details']}>
        <span>by {each.issued_by}</span>
        {each.detail === null ? null : <span>the agent: {each.detail}</span>}
        {each.ended_why === null ? null : (
          <span>
            {each.ended_why} <Time at={each.ended_at} />
          </span>
        )}
        {each.expires_at === null || each.ended_at !== null ? null : (
          <span>
            ends by itself <Time at={each.expires_at} />
          </span>
        )}
        {each.branch === null ? null : <span>proposed on {each.branch}</span>}
        {each.proposal_error === null ? null : <span>its commit could not be made: {each.proposal_error}</span>}
      </div>
      {each.in_force ? (
        <Command
          label="End it"
          command={commandLine('stateward', 'resume', `agent/${each.agent}`, ...inNamespace(each.namespace))}
          testId="intervention-end"
        />
      ) : null}
    </li>
  )
}
