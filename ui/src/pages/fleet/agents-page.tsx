import { Bot } from 'lucide-react'
import type { ReactNode } from 'react'
import type { AgentHealth, AgentRecord } from '../../api/reads.ts'
import { useRead, useReadList } from '../../api/use-read.ts'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { ChoiceField, FilterBar, SearchField, useFilters } from '../../components/filters.tsx'
import { PageFrame } from '../../components/page.tsx'
import { Empty, Failure } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { Together } from '../../components/together.tsx'
import { FleetNav } from './fleet-nav.tsx'
import { HostStrip } from './host-strip.tsx'

/** An agent as it is declared, and how each of its processes stands. */
interface AgentLine {
  readonly record: AgentRecord
  readonly health: AgentHealth | undefined
}

const COLUMNS: readonly Column<AgentLine>[] = [
  { id: 'name', header: 'Agent', width: 'minmax(8rem, 1.4fr)', cell: ({ record }) => <AgentName record={record} /> },
  {
    id: 'status',
    header: 'Status',
    width: '7.5rem',
    cell: ({ record }) => <Status value={record.status} look="plain" title={record.message} />,
  },
  { id: 'mode', header: 'Mode', width: '5.5rem', from: 720, cell: ({ record }) => record.mode },
  {
    id: 'instances',
    header: 'Instances',
    width: '6rem',
    from: 480,
    align: 'end',
    cell: ({ record, health }) => `${health?.instances.length ?? 0} of ${record.replicas}`,
  },
  {
    id: 'hosts',
    header: 'Host',
    width: 'minmax(5rem, 0.7fr)',
    from: 820,
    cell: ({ record }) => record.hosts.join(', ') || '–',
  },
  {
    id: 'work',
    header: 'Now',
    width: '5.5rem',
    from: 620,
    cell: ({ record }) => (record.current_task === null ? 'idle' : 'working'),
  },
  {
    id: 'message',
    header: 'Message',
    width: 'minmax(8rem, 1.6fr)',
    from: 1060,
    cell: ({ record }) => <span title={record.message}>{record.message}</span>,
  },
  {
    id: 'project',
    header: 'Project',
    width: 'minmax(5rem, 0.6fr)',
    from: 1240,
    cell: ({ record }) => record.project ?? '–',
  },
  {
    id: 'heartbeat',
    header: 'Heartbeat',
    width: '6.5rem',
    from: 400,
    align: 'end',
    cell: ({ record }) => <Time at={record.last_heartbeat} />,
  },
]

/** Every agent with how it stands, and the hosts they run on. */
export function Page(): ReactNode {
  const [filters, setFilter] = useFilters('q', 'status', 'mode')
  const records = useReadList('/api/v1/agents', { query: { limit: 500 } })
  const hosts = useRead('/api/v1/hosts', {}, { everyMs: 10_000 })
  const health = useReadList('/api/v1/agents/health', { query: { limit: 500 } }, { everyMs: 10_000 })
  const byId = new Map((health.data ?? []).map((each) => [each.id, each]))
  const lines = (records.data ?? []).map((record) => ({ record, health: byId.get(record.id) }))
  const shown = lines.filter(({ record }) => fits(record, filters))
  return (
    <PageFrame
      title="Agents"
      lead="Who works here, where, and whether it answers. A heartbeat comes every 30 seconds; after 90 an agent is taken for dead."
    >
      <FleetNav />
      <Together of={[hosts, records]}>
        <HostStrip />
        <FilterBar>
          <SearchField
            label="Find an agent"
            value={filters.q}
            onChange={(value) => setFilter('q', value)}
            testId="agents-search"
          />
          <ChoiceField
            label="Status"
            value={filters.status}
            choices={['healthy', 'degraded', 'late', 'silent', 'starting', 'draining', 'paused', 'stopped', 'failed']}
            onChange={(value) => setFilter('status', value)}
            testId="agents-status"
          />
          <ChoiceField
            label="Mode"
            value={filters.mode}
            choices={[
              ['daemon', 'daemon'],
              ['perTask', 'per task'],
              ['model', 'model'],
              ['external', 'external'],
            ]}
            onChange={(value) => setFilter('mode', value)}
            testId="agents-mode"
          />
        </FilterBar>
        {records.error !== null && records.data === undefined ? (
          <Failure error={records.error} onRetry={() => void records.refetch()} />
        ) : (
          <DataTable
            label="Agents"
            columns={COLUMNS}
            rows={shown}
            rowKey={({ record }) => record.id}
            href={({ record }) => `/agents/${record.namespace}/${record.name}`}
            isLoud={({ record }) => record.status === 'failed' || record.status === 'silent'}
            isLoading={records.isPending}
            onEnd={records.hasNextPage ? () => void records.fetchNextPage() : undefined}
            empty={<NoAgents any={lines.length > 0} />}
            testId="agents"
          />
        )}
      </Together>
    </PageFrame>
  )
}

function AgentName({ record }: { readonly record: AgentRecord }): ReactNode {
  return (
    <>
      {record.namespace === 'default' ? '' : <span className="faint">{record.namespace}/</span>}
      {record.name}
    </>
  )
}

function NoAgents({ any }: { readonly any: boolean }): ReactNode {
  if (any) return <Empty title="No agent is like that">Take a filter away to see the others.</Empty>
  return (
    <Empty title="No agents are declared" icon={Bot}>
      Commit a document of kind <code>Agent</code> to the state repo: <code>stateward init</code> writes one to begin
      with.
    </Empty>
  )
}

function fits(record: AgentRecord, filters: Readonly<Record<'q' | 'status' | 'mode', string>>): boolean {
  const text = [
    record.namespace,
    record.name,
    record.display_name,
    record.description,
    record.project,
    ...record.capabilities,
  ]
  return (
    (filters.q === '' || text.join(' ').toLowerCase().includes(filters.q.toLowerCase())) &&
    (filters.status === '' || record.status === filters.status) &&
    (filters.mode === '' || record.mode === filters.mode)
  )
}
