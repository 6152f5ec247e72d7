import { Play } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Alert } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { alertCommands } from '../../commands/alert-commands.ts'
import { CommandSet } from '../../components/command-set.tsx'
import { Columns, Stack } from '../../components/layout.tsx'
import { Link } from '../../components/link.tsx'
import { Card, Facts, PageFrame } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import type { PageProps } from '../../page-props.ts'
import { whole } from '../../text/numbers.ts'
import { EventTable } from '../events/event-table.tsx'
import { RunLines } from '../runs/run-lines.tsx'
import styles from './alerts.module.css'

/** One alert: what it says, who looks after it, what it started, and everything that was recorded of it. */
export function Page({ params }: PageProps): ReactNode {
  const alert = useRead('/api/v1/alerts/{alert}', { path: { alert: params['alert'] ?? '' } })
  const { data } = alert
  return (
    <PageFrame
      title={data?.title ?? 'Alert'}
      crumbs={<Link href="/alerts">Alerts</Link>}
      {...(data === undefined
        ? {}
        : {
            lead: (
              <>
                last raised <Time at={data.last_raised_at} />
                {data.count === 1 ? '' : `, ${whole(data.count)} times in all`}
              </>
            ),
            aside: (
              <>
                <Status value={data.severity} />
                <Status value={data.state} />
              </>
            ),
          })}
    >
      <Loaded of={alert} lines={14}>
        {(found) => <AlertDetail alert={found} />}
      </Loaded>
    </PageFrame>
  )
}

function AlertDetail({ alert }: { readonly alert: Alert }): ReactNode {
  return (
    <>
      <Columns first="most">
        <Stack>
          <Card title="What it says" testId="alert-message">
            <p className={styles['message']}>{alert.message === '' ? alert.title : alert.message}</p>
            {alert.note === null ? null : <p className={styles['note']}>{alert.note}</p>}
          </Card>
          <CommandSet commands={alertCommands(alert)} testId="alert-commands" />
          <Started alert={alert} />
        </Stack>
        <About alert={alert} />
      </Columns>
      <Card title="History" flush>
        <EventTable
          query={{ resource_type: 'Alert', resource_id: alert.id, order: 'desc' }}
          empty="Events are kept for a time; the alert itself stays longer."
          testId="alert-events"
        />
      </Card>
    </>
  )
}

function About({ alert }: { readonly alert: Alert }): ReactNode {
  const rules = useRead('/api/v1/alerts/rules').data?.items ?? []
  const rule = rules.find(({ name }) => name === alert.rule)
  const { agent, namespace } = alert
  return (
    <Card title="About">
      <Facts
        of={[
          ['Raised by', alert.rule === 'manual' ? alert.raised_by : `rule ${alert.rule}`],
          ...(rule === undefined ? [] : ([['That rule', rule.description]] as const)),
          ['First raised', <Time at={alert.raised_at} key="f" />],
          ...(agent === null
            ? []
            : ([
                [
                  'Agent',
                  <Link href={`/agents/${encodeURIComponent(namespace)}/${encodeURIComponent(agent)}`} key="g">
                    {agent}
                  </Link>,
                ],
              ] as const)),
          ['Namespace', namespace],
          ...(alert.acknowledged_by === null
            ? []
            : ([
                [
                  'Looked after by',
                  <span key="k">
                    {alert.acknowledged_by}, <Time at={alert.acknowledged_at} />
                  </span>,
                ],
              ] as const)),
          ...(alert.resolved_by === null
            ? []
            : ([
                [
                  'Resolved by',
                  <span key="r">
                    {alert.resolved_by}, <Time at={alert.resolved_at} />
                  </span>,
                ],
              ] as const)),
          ...(alert.event_id === null
            ? []
            : ([
                [
                  'Because of',
                  <Link href={`/events/${alert.event_id}`} key="e" data-testid="alert-event">
                    an event
                  </Link>,
                ],
              ] as const)),
          [
            'Cause',
            <Link href={`/events?correlation=${encodeURIComponent(alert.correlation_id)}`} key="c">
              everything that followed from it
            </Link>,
          ],
          ['Key', <code key="y">{alert.key}</code>],
        ]}
      />
    </Card>
  )
}

const MOST_EVENTS = 500

/** Runs of blueprints that listen to this alert. */
function Started({ alert }: { readonly alert: Alert }): ReactNode {
  const events = useRead('/api/v1/events', {
    query: { resource_type: 'Alert', resource_id: alert.id, limit: MOST_EVENTS },
  })
  const runs = useRead('/api/v1/runs', {
    query: {
      correlation_id: alert.correlation_id,
      trigger: 'event:stateward.alert.*',
      values: false,
      limit: MOST_EVENTS,
    },
  })
  // Alerts of one cause share its number: only what the events of this one started is its own.
  const own = new Set(events.data?.items.map(({ event_id }) => event_id))
  return (
    <Card title="What it started" flush testId="alert-runs">
      <Loaded of={runs} lines={2}>
        {({ items }) => {
          const started = items.filter(({ event_id }) => event_id !== null && own.has(event_id))
          return started.length === 0 ? (
            <Empty title="No run follows from it" icon={Play}>
              A blueprint whose trigger has <code>event: stateward.alert.raised</code> is started by alerts.
            </Empty>
          ) : (
            <RunLines runs={started} testId="alert-run" />
          )
        }}
      </Loaded>
    </Card>
  )
}
