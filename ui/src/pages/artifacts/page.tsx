import type { ReactNode } from 'react'
import type { Artifact } from '../../api/reads.ts'
import { useReadList } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { ChoiceField, FilterBar, SearchField, useFilters } from '../../components/filters.tsx'
import { Link } from '../../components/link.tsx'
import { PageFrame } from '../../components/page.tsx'
import { Empty, Failure } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { bytes } from '../../text/numbers.ts'

const KINDS = ['log', 'report', 'bundle', 'file', 'patch', 'value', 'prompt', 'answer'] as const

const COLUMNS: readonly Column<Artifact>[] = [
  { id: 'name', header: 'Name', width: 'minmax(10rem, 2fr)', cell: ({ name }) => name },
  { id: 'kind', header: 'Kind', width: '6rem', cell: ({ kind }) => <span className="quiet">{kind}</span> },
  {
    id: 'type',
    header: 'Type',
    width: 'minmax(8rem, 1fr)',
    cell: ({ content_type }) => <span className="quiet">{content_type}</span>,
    from: 760,
  },
  {
    id: 'run',
    header: 'Run',
    width: '9rem',
    cell: ({ run_id }) => (run_id === null ? '–' : <Link href={`/runs/${run_id}`}>{run_id.slice(0, 13)}</Link>),
    from: 620,
  },
  {
    id: 'by',
    header: 'By',
    width: 'minmax(7rem, 1fr)',
    cell: ({ created_by }) => <span className="quiet">{created_by}</span>,
    from: 940,
  },
  {
    id: 'size',
    header: 'Size',
    width: '6rem',
    align: 'end',
    cell: ({ byte_length }) => (byte_length === null ? 'not there yet' : bytes(byte_length)),
  },
  {
    id: 'created',
    header: 'Made',
    width: '6rem',
    align: 'end',
    cell: ({ created_at }) => <Time at={created_at} />,
    from: 480,
  },
]

/** Files that runs, agents and people left behind. */
export function Page(): ReactNode {
  const [{ q, kind, run }, setFilter] = useFilters('q', 'kind', 'run')
  const artifacts = useReadList('/api/v1/artifacts', { query: { q, kind, run_id: run, limit: 200 } })
  return (
    <PageFrame
      title="Artifacts"
      lead="Files that runs, agents and people left behind: logs, reports, patches, large values."
    >
      <FilterBar>
        <SearchField label="Name" value={q} onChange={(next) => setFilter('q', next)} testId="artifacts-search" />
        <ChoiceField
          label="Kind"
          value={kind}
          choices={KINDS}
          onChange={(next) => setFilter('kind', next)}
          testId="artifacts-kind"
        />
      </FilterBar>
      {artifacts.error !== null && artifacts.data === undefined ? (
        <Failure error={artifacts.error} onRetry={() => void artifacts.refetch()} />
      ) : (
        <DataTable
          label="Artifacts"
          columns={COLUMNS}
          rows={artifacts.data ?? []}
          rowKey={({ artifact_id }) => artifact_id}
          href={({ artifact_id }) => `/artifacts/${artifact_id}`}
          onEnd={
            artifacts.hasNextPage && !artifacts.isFetchingNextPage ? () => void artifacts.fetchNextPage() : undefined
          }
          isLoading={artifacts.data === undefined}
          empty={
            q === '' && kind === '' && run === '' ? (
              <Empty title="There are no artifacts yet">
                <Command command="stateward artifacts put report.json --kind report" label="Store one" />
              </Empty>
            ) : (
              <Empty title="No artifact is like that">
                Take a filter away, or <Link href="/artifacts">show all of them</Link>.
              </Empty>
            )
          }
          testId="artifacts"
        />
      )}
    </PageFrame>
  )
}
