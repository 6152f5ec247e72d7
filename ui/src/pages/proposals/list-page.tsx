import { GitPullRequest } from 'lucide-react'
import type { ReactNode } from 'react'
import type { ChangeProposal } from '../../api/reads.ts'
import { useReadList } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { ChoiceField, FilterBar, SearchField, useFilters } from '../../components/filters.tsx'
import { PageFrame } from '../../components/page.tsx'
import { Empty, Failure } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { ProposalsNav } from './proposals-nav.tsx'
import { riskTone, standingOf } from './standing.ts'

const STATES = ['open', 'merged', 'rejected', 'expired', 'superseded'] as const

const COLUMNS: readonly Column<ChangeProposal>[] = [
  {
    id: 'title',
    header: 'Proposal',
    width: 'minmax(10rem, 2.2fr)',
    cell: ({ title, id }) => <span title={id}>{title}</span>,
  },
  {
    id: 'state',
    header: 'State',
    width: '8.5rem',
    cell: (proposal) => {
      const { word, tone } = standingOf(proposal)
      return <Status value={word} tone={tone} look="plain" />
    },
  },
  {
    id: 'risk',
    header: 'Risk',
    width: '5.5rem',
    from: 560,
    cell: ({ risk }) => (risk === null ? '–' : <Status value={risk} tone={riskTone(risk)} look="plain" />),
  },
  { id: 'author', header: 'Author', width: 'minmax(7rem, 1fr)', from: 680, cell: ({ author }) => author },
  { id: 'files', header: 'Files', width: '4rem', from: 800, align: 'end', cell: ({ files }) => files.length },
  {
    id: 'branch',
    header: 'Branch',
    width: 'minmax(8rem, 1.4fr)',
    from: 980,
    cell: ({ branch }) => <code title={branch}>{branch}</code>,
  },
  {
    id: 'opened',
    header: 'Opened',
    width: '6rem',
    from: 420,
    align: 'end',
    cell: ({ opened_at }) => <Time at={opened_at} />,
  },
]

/** Changes of the state repo that wait to be merged, and what became of earlier ones. */
export function Page(): ReactNode {
  const [filters, setFilter] = useFilters('q', 'state', 'author')
  const state = filters.state === '' ? 'open' : STATES.find((each) => each === filters.state)
  const found = useReadList('/api/v1/proposals', { query: { limit: 200, state, author: filters.author } })
  const all = found.data ?? []
  const words = filters.q.toLowerCase()
  const shown =
    words === ''
      ? all
      : all.filter(({ title, id, author, files }) =>
          [title, id, author, ...files].join(' ').toLowerCase().includes(words),
        )
  return (
    <PageFrame
      title="Proposals"
      lead="Every branch proposals/* and agents/* is one: checked and planned against the protected branch, again whenever one of them moves."
    >
      <ProposalsNav />
      <FilterBar>
        <SearchField
          label="Find by title, author or file"
          value={filters.q}
          onChange={(value) => setFilter('q', value)}
          testId="proposals-search"
        />
        <ChoiceField
          label="State"
          value={filters.state === '' ? 'open' : filters.state === 'all' ? '' : filters.state}
          choices={STATES}
          onChange={(value) => setFilter('state', value === '' ? 'all' : value)}
          testId="proposals-state"
        />
      </FilterBar>
      {found.error !== null && found.data === undefined ? (
        <Failure error={found.error} onRetry={() => void found.refetch()} />
      ) : (
        <DataTable
          label="Proposals"
          columns={COLUMNS}
          rows={shown}
          rowKey={({ id }) => id}
          href={({ id }) => `/proposals/${id}`}
          isLoud={(proposal) => standingOf(proposal).tone === 'bad' && proposal.state === 'open'}
          isLoading={found.isPending}
          onEnd={found.hasNextPage ? () => void found.fetchNextPage() : undefined}
          empty={
            <Empty title={all.length > 0 ? 'No proposal is like that' : 'Nothing is proposed'} icon={GitPullRequest}>
              <Command
                label="Propose something: commit on a branch of that name, and push"
                command="git switch -c proposals/<name> && git commit -a && git push origin HEAD"
                testId="proposals-create"
              />
            </Empty>
          }
          testId="proposals"
        />
      )}
    </PageFrame>
  )
}
