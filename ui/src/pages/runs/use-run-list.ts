import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { get } from '../../api/get.ts'
import type { Reads, Run } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { useEvents } from '../../live/live-context.tsx'
import { hasGap, mergeRuns } from './merge-runs.ts'

export type RunQuery = Omit<Reads['/api/v1/runs']['query'], 'limit' | 'cursor' | 'values'>

const HEAD = 100
const PAGE = 500
/** Runs that moved are read again one by one, at most so many at a time and so often. */
const MOST_MOVED = 20
const GATHER_MS = 1_500

interface RunList {
  readonly runs: readonly Run[]
  readonly isLoading: boolean
  readonly error: Error | null
  readonly more: (() => void) | undefined
  readonly refetch: () => void
}

/**
 * Runs, newest first, a page at a time as somebody scrolls. The newest are read again whenever something happens; of the others
 * only those that an event tells of, so that ten thousand rows cost no more than a hundred.
 */
export function useRunList(query: RunQuery): RunList {
  const client = useQueryClient()
  const head = useRead('/api/v1/runs', { query: { ...query, values: false, limit: HEAD } })
  const key = useMemo(() => ['runs by page', query], [query])
  const older = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ signal, pageParam }) =>
      get('/api/v1/runs', { query: { ...query, values: false, limit: PAGE, cursor: pageParam } }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    // Pages that were read stay as they are: comparing them would cost more than drawing them.
    structuralSharing: false,
  })
  const pages = older.data?.pages
  const scrolled = useMemo(() => (pages ?? []).flatMap(({ items }) => items), [pages])
  const moved = useMoved(scrolled, head.data?.items, key)
  const statuses = useMemo(() => (query.status == null ? null : new Set(query.status.split(','))), [query.status])
  const fresh = head.isPlaceholderData ? undefined : head.data
  const runs = useMemo(
    () => mergeRuns(fresh?.items ?? [], scrolled, moved, statuses),
    [fresh, scrolled, moved, statuses],
  )
  const gap = fresh !== undefined && hasGap(fresh.items, scrolled, fresh.next_cursor === null)
  useEffect(() => {
    if (gap) void client.resetQueries({ queryKey: key })
  }, [gap, client, key])
  return {
    runs,
    isLoading: fresh === undefined && older.data === undefined,
    error: runs.length === 0 ? (head.error ?? older.error) : null,
    more: older.hasNextPage && !older.isFetchingNextPage ? () => void older.fetchNextPage() : undefined,
    refetch: () => {
      void head.refetch()
      void older.refetch()
    },
  }
}

/** Runs of what was scrolled to that events tell of, as they are now. */
function useMoved(scrolled: readonly Run[], head: readonly Run[] | undefined, key: unknown): ReadonlyMap<string, Run> {
  const [moved, setMoved] = useState<ReadonlyMap<string, Run>>(new Map())
  const open = useRef<ReadonlySet<string>>(new Set())
  const waiting = useRef(new Set<string>())
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question begins anew
  useEffect(() => setMoved(new Map()), [key])
  useEffect(() => {
    const live = new Set((head ?? []).map(({ run_id }) => run_id))
    open.current = new Set(
      scrolled.flatMap(({ run_id, status }) =>
        !live.has(run_id) && (status === 'running' || status === 'created') ? [run_id] : [],
      ),
    )
  }, [scrolled, head])
  useEvents(({ run_id: runId, event_name: name }) => {
    if (runId !== null && name.startsWith('stateward.run.') && open.current.has(runId)) waiting.current.add(runId)
  })
  useEffect(() => {
    const timer = setInterval(() => {
      const ids = [...waiting.current].slice(0, MOST_MOVED)
      for (const id of ids) waiting.current.delete(id)
      if (ids.length === 0) return
      void Promise.allSettled(ids.map((run) => get('/api/v1/runs/{run}', { path: { run } }))).then((answers) => {
        const runs = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
        setMoved((before) => new Map([...before, ...runs.map((run) => [run.run_id, run] as const)]))
      })
    }, GATHER_MS)
    return () => clearInterval(timer)
  }, [])
  return moved
}
