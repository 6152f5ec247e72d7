import { useInfiniteQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { get } from '../../api/get.ts'
import type { Event } from '../../api/reads.ts'
import { useEvents } from '../../live/live-context.tsx'
import { type EventFilter, matchesFilter } from './event-words.ts'
import type { EventList } from './use-log-window.ts'

const PAGE = 500
/** What comes live is held up to here; the rest is read when somebody scrolls to it. */
const MOST_LIVE = 5_000

/** Events that match, newest first, read on as somebody scrolls. While it `holds`, what comes is counted and not shown. */
export function useFilteredEvents(filter: EventFilter, holds: boolean, enabled: boolean): EventList {
  const query = useInfiniteQuery({
    queryKey: ['events by filter', filter],
    queryFn: ({ signal, pageParam }) =>
      get(
        '/api/v1/events',
        {
          query: {
            limit: PAGE,
            cursor: pageParam,
            event_name: filter.name,
            run_id: filter.run,
            resource_type: filter.resourceType,
            resource_id: filter.resource,
            actor: filter.actor,
            correlation_id: filter.correlation,
            failures: filter.failures || undefined,
          },
        },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10_000,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  })
  const pages = query.data?.pages
  const read = useMemo(() => (pages ?? []).flatMap(({ items }) => items), [pages])
  const live = useLiveEvents(filter, read[0]?.seq ?? null, enabled && pages !== undefined)
  const [held, setHeld] = useState<readonly Event[] | null>(null)
  const latest = useRef(live)
  latest.current = live
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter holds from where it begins
  useEffect(() => setHeld(holds ? latest.current : null), [holds, filter])
  const shown = held ?? live
  const rows = useMemo(() => [...shown.toReversed(), ...read], [shown, read])
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query
  const onRange = useCallback(
    (_from: number, to: number) => {
      if (to >= rows.length - 50 && hasNextPage && !isFetchingNextPage) void fetchNextPage()
    },
    [rows.length, hasNextPage, isFetchingNextPage, fetchNextPage],
  )
  return {
    count: rows.length,
    rowAt: (index) => rows[index],
    onRange,
    fresh: live.length - shown.length,
    isLoading: pages === undefined,
    error: query.error,
    retry: () => void query.refetch(),
  }
}

/** What came since the first page was read, the oldest first. */
function useLiveEvents(filter: EventFilter, after: number | null, enabled: boolean): readonly Event[] {
  const [live, setLive] = useState<readonly Event[]>([])
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter begins anew
  useEffect(() => setLive([]), [filter])
  useEvents((event) => {
    if (!enabled || !matchesFilter(event, filter) || (after !== null && event.seq <= after)) return
    setLive((before) => {
      if (before.some(({ seq }) => seq === event.seq)) return before
      return [...(before.length >= MOST_LIVE ? before.slice(-MOST_LIVE + 500) : before), event]
    })
  })
  return live
}
