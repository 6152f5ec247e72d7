import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useRef } from 'react'
import { get } from '../../api/get.ts'
import type { ListedObject, Reads } from '../../api/reads.ts'
import { useEvents } from '../../live/live-context.tsx'

export type ObjectQuery = Omit<Reads['/api/v1/objects']['query'], 'limit' | 'cursor'>

const PAGE = 1_000
/** A thousand objects are read again at most this often. */
const PER_PAGE_MS = 2_000

interface Objects {
  readonly objects: readonly ListedObject[] | undefined
  readonly isWhole: boolean
  readonly error: Error | null
  readonly refetch: () => void
}

/** Everything that was accepted and matches, all pages of it; read again when something of it changes, the less often the more it is. */
export function useObjects(query: ObjectQuery): Objects {
  const list = useInfiniteQuery({
    queryKey: ['all objects', query],
    queryFn: ({ signal, pageParam }) =>
      get('/api/v1/objects', { query: { ...query, limit: PAGE, cursor: pageParam } }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (before) => before,
  })
  const { hasNextPage, isFetching, fetchNextPage, refetch } = list
  useEffect(() => {
    if (hasNextPage && !isFetching) void fetchNextPage()
  }, [hasNextPage, isFetching, fetchNextPage])
  const pages = list.data?.pages
  const isStale = useRef(false)
  useEvents(({ event_name: name }) => {
    if (/^stateward\.(?:object|source|drift|override|agent)\./.test(name)) isStale.current = true
  })
  const everyMs = PER_PAGE_MS * Math.max(1, pages?.length ?? 1)
  useEffect(() => {
    const timer = setInterval(() => {
      if (!isStale.current || document.hidden) return
      isStale.current = false
      void refetch()
    }, everyMs)
    return () => clearInterval(timer)
  }, [everyMs, refetch])
  return {
    objects: useMemo(() => pages?.flatMap(({ items }) => items), [pages]),
    isWhole: pages !== undefined && !hasNextPage,
    error: list.error,
    refetch: () => void refetch(),
  }
}
