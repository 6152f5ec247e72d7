import type { ReactNode } from 'react'
import type { Event, Reads } from '../../api/reads.ts'
import { useReadList } from '../../api/use-read.ts'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { Empty, Failure } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { summaryOf } from './event-words.ts'

const COLUMNS: readonly Column<Event>[] = [
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
    cell: (event) => <span className="quiet">{summaryOf(event)}</span>,
    from: 560,
  },
  {
    id: 'actor',
    header: 'By',
    width: 'minmax(6rem, 1fr)',
    cell: ({ actor }) => <span className="quiet">{actor}</span>,
    from: 800,
  },
  { id: 'at', header: 'When', width: '6rem', align: 'end', cell: ({ occurred_at }) => <Time at={occurred_at} /> },
]
const PAGE = 500
const EVERY_MS = 5_000

/** What is recorded of one thing: a run, a step, an alert. Each row leads to its event. */
export function EventTable(props: {
  readonly query: Omit<Reads['/api/v1/events']['query'], 'limit' | 'cursor'>
  readonly empty: string
  readonly testId: string
}): ReactNode {
  const events = useReadList('/api/v1/events', { query: { ...props.query, limit: PAGE } }, { everyMs: EVERY_MS })
  if (events.error !== null && events.data === undefined)
    return <Failure error={events.error} onRetry={() => void events.refetch()} />
  return (
    <DataTable
      label="Events"
      columns={COLUMNS}
      rows={events.data ?? []}
      rowKey={({ event_id }) => event_id}
      href={({ event_id }) => `/events/${event_id}`}
      onEnd={events.hasNextPage ? () => void events.fetchNextPage() : undefined}
      isLoading={events.data === undefined}
      rowHeight={34}
      empty={<Empty title="No events are held any more">{props.empty}</Empty>}
      testId={props.testId}
    />
  )
}
