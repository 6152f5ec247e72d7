import type { ReactNode } from 'react'
import type { Event } from '../../api/reads.ts'
import { useReadList } from '../../api/use-read.ts'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { Empty, Failure } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { summaryOf } from '../events/event-words.ts'
import styles from './run.module.css'

const EVENT_COLUMNS: readonly Column<Event>[] = [
  {
    id: 'name',
    header: 'Event',
    width: 'minmax(12rem, 1.5fr)',
    cell: ({ event_name }) => event_name.replace(/^stateward\./, ''),
  },
  {
    id: 'what',
    header: 'What',
    width: 'minmax(8rem, 2fr)',
    cell: (event) => <span className={styles['quiet']}>{summaryOf(event)}</span>,
    from: 560,
  },
  {
    id: 'actor',
    header: 'By',
    width: 'minmax(6rem, 1fr)',
    cell: ({ actor }) => <span className={styles['quiet']}>{actor}</span>,
    from: 800,
  },
  { id: 'at', header: 'When', width: '6rem', align: 'end', cell: ({ occurred_at }) => <Time at={occurred_at} /> },
]

/** The history of a run, or of one step of it, as it was recorded. */
export function EventsPanel(props: { readonly runId: string; readonly stepId?: string }): ReactNode {
  const { runId, stepId } = props
  const events = useReadList(
    '/api/v1/events',
    {
      query: { run_id: runId, step_id: stepId, order: 'asc', limit: 500 },
    },
    { everyMs: 5_000 },
  )
  if (events.error !== null && events.data === undefined)
    return <Failure error={events.error} onRetry={() => void events.refetch()} />
  return (
    <DataTable
      label="Events"
      columns={EVENT_COLUMNS}
      rows={events.data ?? []}
      rowKey={({ event_id }) => event_id}
      href={({ event_id }) => `/events/${event_id}`}
      onEnd={events.hasNextPage ? () => void events.fetchNextPage() : undefined}
      isLoading={events.data === undefined}
      rowHeight={34}
      empty={
        <Empty title="No events are held any more">Events are kept for a time; the run itself stays longer.</Empty>
      }
      testId="run-events"
    />
  )
}
