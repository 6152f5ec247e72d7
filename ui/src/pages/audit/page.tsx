import { ScrollText } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Event } from '../../api/reads.ts'
import { useRead, useReadList } from '../../api/use-read.ts'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { ChoiceField, FilterBar, SearchField, useFilters } from '../../components/filters.tsx'
import { Stack } from '../../components/layout.tsx'
import { Link } from '../../components/link.tsx'
import { PageFrame } from '../../components/page.tsx'
import { Empty, Failure } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { Together } from '../../components/together.tsx'
import { useEvents } from '../../live/live-context.tsx'
import { whole } from '../../text/numbers.ts'
import styles from './audit.module.css'
import { ChainCard } from './chain-card.tsx'

const text = (event: Event, member: string): string => String(event.data[member] ?? '')
const outcomeOf = (event: Event): string => (event.event_name.endsWith('.denied') ? 'denied' : 'allowed')

const COLUMNS: readonly Column<Event>[] = [
  { id: 'seq', header: 'Number', width: '5.5rem', cell: ({ seq }) => <span className="numeric">{whole(seq)}</span> },
  {
    id: 'outcome',
    header: 'Outcome',
    width: '6.5rem',
    cell: (event) => <Status value={outcomeOf(event)} look="plain" />,
  },
  { id: 'actor', header: 'Who', width: 'minmax(6rem, 1fr)', cell: ({ actor }) => actor },
  {
    id: 'verb',
    header: 'May it',
    width: 'minmax(7rem, 0.9fr)',
    from: 560,
    cell: (event) => <code>{text(event, 'verb')}</code>,
  },
  {
    id: 'path',
    header: 'What was asked',
    width: 'minmax(9rem, 2fr)',
    from: 760,
    cell: (event) => <span title={text(event, 'operation')}>{text(event, 'path')}</span>,
  },
  {
    id: 'code',
    header: 'Why not',
    width: '9rem',
    from: 980,
    cell: (event) =>
      outcomeOf(event) === 'allowed'
        ? '–'
        : `${text(event, 'code')}${event.data['count'] === 1 ? '' : ` (${text(event, 'count')} times)`}`,
  },
  {
    id: 'trace',
    header: 'Correlation',
    width: '8rem',
    from: 1120,
    cell: ({ correlation_id: id }) => (
      <Link href={`/events?correlation_id=${encodeURIComponent(id)}`}>{id.slice(0, 13)}</Link>
    ),
  },
  {
    id: 'time',
    header: 'When',
    width: '6rem',
    from: 420,
    align: 'end',
    cell: ({ occurred_at }) => <Time at={occurred_at} />,
  },
]

/** As many as one answer has. */
const BATCHES = 1_000

/** Who did, or tried, what takes a right; and whether the record of it is as it was written. */
export function Page(): ReactNode {
  const [filters, setFilter] = useFilters('q', 'outcome')
  const batches = useRead('/api/v1/audit/batches', { query: { limit: BATCHES } }, { everyMs: 15_000 })
  const outcome = ['allowed', 'denied'].includes(filters.outcome) ? filters.outcome : '*'
  const found = useReadList('/api/v1/events', { query: { event_name: `stateward.access.${outcome}`, limit: 200 } })
  useEvents(({ event_name: name }) => {
    if (name.startsWith('stateward.access.')) void found.refetch()
  })
  const all = found.data ?? []
  const words = filters.q.toLowerCase()
  const shown =
    words === ''
      ? all
      : all.filter((event) => [event.actor, ...Object.values(event.data)].join(' ').toLowerCase().includes(words))
  return (
    <PageFrame
      title="Audit"
      lead="Every decision about a privileged request, before it was done; in a log that is chained by hash and cannot be changed by the process that writes it."
    >
      <ChainCard batches={batches} />
      <Together of={[batches]} lines={4}>
        <Stack labelledBy="audit-heading">
          <h2 id="audit-heading" className={styles['heading']}>
            Privileged requests
          </h2>
          <FilterBar>
            <SearchField
              label="Find by who, verb or path"
              value={filters.q}
              onChange={(value) => setFilter('q', value)}
              testId="audit-search"
            />
            <ChoiceField
              label="Outcome"
              value={filters.outcome}
              choices={['allowed', 'denied']}
              onChange={(value) => setFilter('outcome', value)}
              testId="audit-outcome-filter"
            />
          </FilterBar>
          {found.error !== null && found.data === undefined ? (
            <Failure error={found.error} onRetry={() => void found.refetch()} />
          ) : (
            <DataTable
              label="Privileged requests"
              columns={COLUMNS}
              rows={shown}
              rowKey={({ event_id }) => event_id}
              href={({ event_id }) => `/events/${event_id}`}
              isLoud={(event) => outcomeOf(event) === 'denied'}
              isLoading={found.isPending}
              onEnd={found.hasNextPage ? () => void found.fetchNextPage() : undefined}
              empty={
                <Empty
                  title={all.length > 0 ? 'No request is like that' : 'Nobody has asked for anything privileged'}
                  icon={ScrollText}
                >
                  Starting a run, deciding a gate, pausing an agent: each would stand here, allowed or denied.
                </Empty>
              }
              testId="audit"
            />
          )}
        </Stack>
      </Together>
    </PageFrame>
  )
}
