import { BellOff } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Alert } from '../../api/reads.ts'
import { useRead, useReadList } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { ChoiceField, FilterBar, SearchField, useFilters } from '../../components/filters.tsx'
import { Link } from '../../components/link.tsx'
import { PageFrame } from '../../components/page.tsx'
import { Empty, Failure } from '../../components/states.tsx'
import { Status, StatusIcon } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { short } from '../../text/numbers.ts'
import styles from './alerts.module.css'

const STATES = ['active', 'open', 'acknowledged', 'resolved'] as const
const SEVERITIES = ['critical', 'warning', 'info'] as const

const COLUMNS: readonly Column<Alert>[] = [
  {
    id: 'title',
    header: 'Alert',
    width: 'minmax(9rem, 2.4fr)',
    cell: ({ title, severity }) => (
      <span className={styles['title']}>
        <StatusIcon value={severity} />
        <span title={title}>{title}</span>
      </span>
    ),
  },
  {
    id: 'severity',
    header: 'Severity',
    width: '5rem',
    from: 440,
    cell: ({ severity }) => <Status value={severity} look="word" />,
  },
  {
    id: 'state',
    header: 'State',
    width: '8.5rem',
    from: 520,
    cell: ({ state }) => <Status value={state} look="plain" />,
  },
  {
    id: 'message',
    header: 'What it says',
    width: 'minmax(8rem, 2fr)',
    from: 860,
    cell: ({ message, note }) => (
      <span className="quiet" title={message}>
        {note ?? message}
      </span>
    ),
  },
  { id: 'rule', header: 'Raised by', width: 'minmax(7rem, 1.2fr)', from: 1040, cell: raiserOf },
  { id: 'count', header: 'Times', width: '4rem', from: 640, align: 'end', cell: ({ count }) => short(count) },
  {
    id: 'last',
    header: 'Last raised',
    width: '6rem',
    align: 'end',
    cell: ({ last_raised_at }) => <Time at={last_raised_at} />,
  },
]

function raiserOf({ rule, raised_by }: Alert): string {
  return rule === 'manual' ? raised_by : rule
}

/** What somebody should look at, and what became of it before. */
export function Page(): ReactNode {
  const [filters, setFilter] = useFilters('q', 'state', 'severity', 'agent')
  const { q, agent } = filters
  const state = filters.state === '' ? 'active' : STATES.find((each) => each === filters.state)
  const severity = SEVERITIES.find((each) => each === filters.severity)
  const found = useReadList('/api/v1/alerts', {
    query: { limit: 200, state, severity, agent: agent === '' ? undefined : agent },
  })
  const agents = useRead('/api/v1/agents', { query: { limit: 1000 } }).data?.items ?? []
  const all = found.data ?? []
  const words = q.toLowerCase()
  const shown = all.filter(({ title, message, key, rule }) =>
    [title, message, key, rule].join(' ').toLowerCase().includes(words),
  )
  const names = [...new Set([...agents.map(({ name }) => name), ...(agent === '' ? [] : [agent])])].sort()
  return (
    <PageFrame
      title="Alerts"
      lead="What somebody should look at: raised by rules over the log, by programs and by people. They stay until they are resolved."
    >
      <FilterBar>
        <SearchField
          label="Find by title, text or rule"
          value={q}
          onChange={(value) => setFilter('q', value)}
          testId="alerts-search"
        />
        <ChoiceField
          label="State"
          value={filters.state === '' ? 'active' : filters.state === 'all' ? '' : filters.state}
          choices={[['active', 'not resolved'], 'open', 'acknowledged', 'resolved']}
          onChange={(value) => setFilter('state', value === '' ? 'all' : value === 'active' ? '' : value)}
          testId="alerts-state"
        />
        <ChoiceField
          label="Severity"
          value={filters.severity}
          choices={SEVERITIES}
          onChange={(value) => setFilter('severity', value)}
          testId="alerts-severity"
        />
        <ChoiceField
          label="Agent"
          value={agent}
          choices={names}
          onChange={(value) => setFilter('agent', value)}
          testId="alerts-agent"
        />
      </FilterBar>
      {found.error !== null && found.data === undefined ? (
        <Failure error={found.error} onRetry={() => void found.refetch()} />
      ) : (
        <DataTable
          label="Alerts"
          columns={COLUMNS}
          rows={shown}
          rowKey={({ id }) => id}
          href={({ id }) => `/alerts/${id}`}
          isLoud={({ severity: how, state: now }) => how === 'critical' && now !== 'resolved'}
          isLoading={found.isPending}
          onEnd={found.hasNextPage ? () => void found.fetchNextPage() : undefined}
          empty={<NoAlerts isFiltered={Object.values(filters).some((value) => value !== '')} />}
          testId="alerts"
        />
      )}
    </PageFrame>
  )
}

function NoAlerts({ isFiltered }: { readonly isFiltered: boolean }): ReactNode {
  if (isFiltered)
    return (
      <Empty title="No alert is like that" icon={BellOff}>
        Take a filter away, or <Link href="/alerts?state=all">show all there ever were</Link>.
      </Empty>
    )
  return (
    <Empty title="No alert is open" icon={BellOff}>
      <p>
        Those of before are <Link href="/alerts?state=all">kept</Link>. Rules raise new ones by themselves; so may you:
      </p>
      <Command
        label="Raise one"
        command={'stateward alerts raise "what is wrong" --severity warning'}
        testId="alerts-raise"
      />
    </Empty>
  )
}
