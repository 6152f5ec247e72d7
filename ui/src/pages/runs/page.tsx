import { type ReactNode, useMemo } from 'react'
import type { Run } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { CutName } from '../../components/cut-name.tsx'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { ChoiceField, FilterBar, SearchField, useFilters } from '../../components/filters.tsx'
import { Link } from '../../components/link.tsx'
import { PageFrame } from '../../components/page.tsx'
import { Empty, Failure } from '../../components/states.tsx'
import { Status, StatusIcon } from '../../components/status.tsx'
import { Duration, Time } from '../../components/time.tsx'
import { standingOf, toneOfRun } from './run-standing.ts'
import styles from './runs.module.css'
import { StatusTabs, VIEWS } from './status-tabs.tsx'
import { type RunQuery, useRunList } from './use-run-list.ts'

const SINCE = [
  ['1h', 'last hour'],
  ['24h', 'last 24 hours'],
  ['7d', 'last 7 days'],
] as const
const SINCE_MS: Readonly<Record<string, number>> = { '1h': 3_600_000, '24h': 86_400_000, '7d': 604_800_000 }
const TRIGGERS = [
  ['manual', 'by hand'],
  ['event:*', 'an event'],
  ['schedule:*', 'a schedule'],
  ['operation:*', 'an operation'],
  ['retry', 'a retry'],
  ['rollback', 'a rollback'],
] as const

const COLUMNS: readonly Column<Run>[] = [
  {
    id: 'run',
    header: 'Run',
    width: 'minmax(11rem, 3fr)',
    cell: (run) => (
      <span className={styles['name']}>
        <StatusIcon value={standingOf(run)} tone={toneOfRun(run)} />
        <CutName name={run.name} />
      </span>
    ),
  },
  {
    id: 'status',
    header: 'Status',
    width: '9.5rem',
    cell: (run) => <Status value={standingOf(run)} tone={toneOfRun(run)} look="word" title={messageOf(run)} />,
    from: 520,
  },
  {
    id: 'blueprint',
    header: 'Blueprint',
    width: 'minmax(7rem, 1.6fr)',
    cell: (run) => run.blueprint_ref ?? <span className="quiet">a plan of its own</span>,
    from: 780,
  },
  {
    id: 'trigger',
    header: 'Started by',
    width: 'minmax(8rem, 1.2fr)',
    cell: (run) => <span className="quiet">{run.trigger === 'manual' ? run.actor : run.trigger}</span>,
    from: 980,
  },
  { id: 'created', header: 'Created', width: '5.5rem', cell: (run) => <Time at={run.created_at} />, align: 'end' },
  {
    id: 'took',
    header: 'Took',
    width: '5.5rem',
    cell: (run) => <Duration from={run.started_at} to={run.completed_at} />,
    align: 'end',
    from: 640,
  },
]

/** All runs, newest first, however many there are. */
export function Page(): ReactNode {
  const [filters, setFilter] = useFilters(
    'view',
    'q',
    'blueprint',
    'trigger',
    'since',
    'namespace',
    'revision',
    'event',
  )
  const { view, q, blueprint, trigger, since, namespace, revision, event } = filters
  const narrowed = useMemo(
    (): RunQuery => ({
      q: q === '' ? undefined : q,
      blueprint_ref: blueprint === '' ? undefined : blueprint,
      trigger: trigger === '' ? undefined : trigger,
      since: sinceOf(since),
      namespace: namespace === '' ? undefined : namespace,
      revision: revision === '' ? undefined : revision,
      event_id: event === '' ? undefined : event,
    }),
    [q, blueprint, trigger, since, namespace, revision, event],
  )
  const query = useMemo(
    (): RunQuery => ({ ...narrowed, ...(VIEWS.find(({ id }) => id === view)?.query ?? {}) }),
    [narrowed, view],
  )
  const counts = useRead('/api/v1/run-counts', { query: narrowed })
  const blueprints = useRead('/api/v1/objects', { query: { kind: 'Blueprint', limit: 1000 } })
  const list = useRunList(query)
  const names = [...new Set((blueprints.data?.items ?? []).map(({ name }) => name))]
  return (
    <PageFrame
      title="Runs"
      lead="What blueprints do, step by step. A run is pinned to a commit and never changes under its feet."
      aside={
        <Link href="/runs/new" className={styles['action']} data-testid="runs-new">
          Start a run…
        </Link>
      }
    >
      <div className={styles['controls']}>
        <StatusTabs value={view} counts={counts.data} onChange={(next) => setFilter('view', next)} />
        <FilterBar>
          <SearchField
            label="Name, blueprint or id"
            value={q}
            onChange={(next) => setFilter('q', next)}
            testId="runs-search"
          />
          <ChoiceField
            label="Blueprint"
            value={blueprint}
            choices={blueprint === '' || names.includes(blueprint) ? names : [blueprint, ...names]}
            onChange={(next) => setFilter('blueprint', next)}
            testId="runs-blueprint"
          />
          <ChoiceField
            label="Started by"
            value={trigger}
            choices={TRIGGERS}
            onChange={(next) => setFilter('trigger', next)}
            testId="runs-trigger"
          />
          <ChoiceField
            label="Created"
            value={since}
            choices={SINCE}
            onChange={(next) => setFilter('since', next)}
            testId="runs-since"
          />
        </FilterBar>
      </div>
      {list.error !== null ? (
        <Failure error={list.error} onRetry={list.refetch} />
      ) : (
        <DataTable
          label="Runs"
          columns={COLUMNS}
          rows={list.runs}
          rowKey={({ run_id }) => run_id}
          href={({ run_id }) => `/runs/${run_id}`}
          isLoud={({ status }) => status === 'failed'}
          onEnd={list.more}
          isLoading={list.isLoading}
          empty={<NoRuns isFiltered={Object.values(filters).some((value) => value !== '')} />}
          testId="runs"
        />
      )}
    </PageFrame>
  )
}

function NoRuns({ isFiltered }: { readonly isFiltered: boolean }): ReactNode {
  if (isFiltered)
    return (
      <Empty title="No run is like that">
        Take a filter away, or <Link href="/runs">show all runs</Link>.
      </Empty>
    )
  return (
    <Empty title="Nothing has run yet">
      <p>An event that a blueprint listens to starts a run, or somebody does:</p>
      <Command command="stateward run <blueprint> --input <name>=<value>" label="Start a run" />
    </Empty>
  )
}

/** The same for a minute, so that the list is one list while somebody looks at it. */
function sinceOf(choice: string): string | undefined {
  const ms = SINCE_MS[choice]
  if (ms === undefined) return undefined
  return new Date(Math.floor((Date.now() - ms) / 60_000) * 60_000).toISOString()
}

function messageOf({ condition, error }: Run): string | undefined {
  const message = error?.['message'] ?? condition?.['message']
  return typeof message === 'string' ? message : undefined
}
