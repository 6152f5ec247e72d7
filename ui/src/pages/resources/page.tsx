import { type ReactNode, useCallback, useMemo, useState } from 'react'
import type { AgentInstance } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { Button } from '../../components/button.tsx'
import { Command } from '../../components/command.tsx'
import { ChoiceField, FilterBar, SearchField, useFilters } from '../../components/filters.tsx'
import { Link } from '../../components/link.tsx'
import { PageFrame } from '../../components/page.tsx'
import { Empty, Failure, Skeleton } from '../../components/states.tsx'
import { whole } from '../../text/numbers.ts'
import { ResourceTree } from './resource-tree.tsx'
import styles from './resources.module.css'
import { tallyOf, treeRows } from './tree.ts'
import { useBeside } from './use-beside.ts'
import { type ObjectQuery, useObjects } from './use-objects.ts'

const KINDS = [
  ...[
    'Agent',
    'AgentTemplate',
    'Approval',
    'Blueprint',
    'Breaker',
    'Budget',
    'Dashboard',
    'Environment',
    'EventType',
    'Host',
  ],
  ...['McpServer', 'ModelProvider', 'ModelRoute', 'NotificationRoute', 'Operation', 'Policy', 'Principal', 'Project'],
  ...['SecretStore', 'Source', 'Tool'],
] as const
const STANDINGS = [
  ['not-ready', 'not ready'],
  ['ready', 'ready'],
  ['unknown', 'unknown'],
  ['drifted', 'drifted'],
  ['suspended', 'suspended'],
] as const
const QUERY_OF: Readonly<Record<string, ObjectQuery>> = {
  'not-ready': { ready: 'False' },
  ready: { ready: 'True' },
  unknown: { ready: 'Unknown' },
  drifted: { condition: 'Drifted' },
  suspended: { condition: 'Suspended' },
}
/** More than this many objects begin with closed files. */
const MANY = 400

/** Everything that was declared: which source and file it is of, how it stands, and what runs for it. */
export function Page(): ReactNode {
  const [filters, setFilter] = useFilters('q', 'kind', 'standing', 'namespace')
  const { q, kind, standing, namespace } = filters
  const query = useMemo(
    (): ObjectQuery => ({
      ...(q === '' ? {} : { q }),
      ...(kind === '' ? {} : { kind }),
      ...(namespace === '' ? {} : { namespace }),
      ...QUERY_OF[standing],
    }),
    [q, kind, standing, namespace],
  )
  const isFiltered = Object.values(filters).some((value) => value !== '')
  const { objects, isWhole, error, refetch } = useObjects(query)
  const health = useRead('/api/v1/agents/health', { query: { limit: 1000 } })
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set())
  const isMany = (objects?.length ?? 0) > MANY
  const instances = useMemo(
    () =>
      new Map<string, readonly AgentInstance[]>(
        (health.data?.items ?? []).map((agent) => [`${agent.namespace}/${agent.name}`, agent.instances]),
      ),
    [health.data],
  )
  const isOpen = useCallback(
    (id: string, depth: number) => toggled.has(id) !== (depth === 0 || isFiltered || !isMany),
    [toggled, isMany, isFiltered],
  )
  const beside = useBeside(filters, (id) => toggled.has(id) !== isFiltered)
  const declared = useMemo(() => treeRows(objects ?? [], instances, isOpen), [objects, instances, isOpen])
  const rows = [...declared, ...beside]
  const tally = useMemo(() => tallyOf(objects ?? []), [objects])
  const toggle = (id: string): void =>
    setToggled((before) => {
      const next = new Set(before)
      if (!next.delete(id)) next.add(id)
      return next
    })
  const files = declared.filter(({ type }) => type === 'file')
  const allClosed = files.every(({ isOpen: open }) => !open)
  return (
    <PageFrame title="Resources" lead="What was merged, where it is written, and how it stands now.">
      <FilterBar>
        <SearchField
          label="Name, kind or file"
          value={q}
          onChange={(next) => setFilter('q', next)}
          testId="resources-search"
        />
        <ChoiceField
          label="Kind"
          value={kind}
          choices={KINDS}
          onChange={(next) => setFilter('kind', next)}
          testId="resources-kind"
        />
        <ChoiceField
          label="Standing"
          value={standing}
          choices={STANDINGS}
          onChange={(next) => setFilter('standing', next)}
          testId="resources-standing"
        />
        <Button
          testId="resources-fold"
          onClick={() => {
            const ids = files.filter(({ isOpen: open }) => open !== allClosed).map(({ id }) => id)
            setToggled((before) => {
              const next = new Set(before)
              for (const id of ids) if (!next.delete(id)) next.add(id)
              return next
            })
          }}
        >
          {allClosed ? 'Open all files' : 'Close all files'}
        </Button>
      </FilterBar>
      <p className={styles['summary']} role="status" data-testid="resources-summary">
        {objects === undefined ? (
          'Reading…'
        ) : (
          <>
            <span>
              {whole(tally.total)} declared {tally.total === 1 ? 'object' : 'objects'}
              {isWhole ? '' : ' so far'}
            </span>
            {tally.failing === 0 ? null : <span className={styles['failing']}>{whole(tally.failing)} not ready</span>}
            {tally.pending === 0 ? null : <span className={styles['pending']}>{whole(tally.pending)} unknown</span>}
          </>
        )}
      </p>
      {error !== null && objects === undefined ? (
        <Failure error={error} onRetry={refetch} />
      ) : objects === undefined ? (
        <Skeleton lines={16} />
      ) : rows.length === 0 ? (
        <Nothing isFiltered={isFiltered} />
      ) : (
        <ResourceTree rows={rows} onToggle={toggle} />
      )}
    </PageFrame>
  )
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }): ReactNode {
  return isFiltered ? (
    <Empty title="Nothing declared is like that">
      Take a filter away, or <Link href="/resources">show everything</Link>.
    </Empty>
  ) : (
    <Empty title="Nothing is declared yet">
      <p>What is merged into the state repo shows here. Read it now:</p>
      <Command command="stateward reconcile" label="Read the state repo now" />
    </Empty>
  )
}
