import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { get } from '../../api/get.ts'
import type { Event } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { useEvents } from '../../live/live-context.tsx'
import { EventWindow } from './event-window.ts'

/** Browsers draw nothing as high as this many rows would be. */
const MOST_ROWS = 500_000

export interface EventList {
  readonly count: number
  readonly rowAt: (index: number) => Event | undefined
  readonly onRange: (from: number, to: number) => void
  /** How many came since the list stands still. */
  readonly fresh: number
  readonly isLoading: boolean
  readonly error: unknown
  readonly retry: () => void
}

/** The whole log as a list. While it `holds`, what comes is counted and not shown; `at` begins it at a number. */
export function useLogWindow(holds: boolean, at: number | null, enabled: boolean): EventList {
  const newest = useRead('/api/v1/events', { query: { limit: 1 } }, { enabled })
  const oldest = useRead('/api/v1/events', { query: { limit: 1, order: 'asc' } }, { enabled })
  const isKnown = newest.data !== undefined && oldest.data !== undefined
  // Made once: what comes later is told to it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the bounds it begins with are those read first
  const log = useMemo(
    () =>
      new EventWindow(
        { oldest: oldest.data?.items[0]?.seq ?? 0, newest: newest.data?.items[0]?.seq ?? 0 },
        async (before, limit) => (await get('/api/v1/events', { query: { before, limit } })).items,
      ),
    [isKnown],
  )
  useEvents((event) => {
    if (enabled && isKnown) log.add(event)
  })
  useEffect(() => {
    const event = newest.data?.items[0]
    if (event !== undefined && event.seq > log.newest) log.add(event)
  }, [newest.data, log])
  useSyncExternalStore(
    useCallback((onChange) => log.subscribe(onChange), [log]),
    () => log.version,
  )
  const top = useTop(log.newest, holds, at)
  const count = log.oldest === 0 ? 0 : Math.min(MOST_ROWS, Math.max(0, top - log.oldest + 1))
  const range = useRef<readonly [number, number]>([0, 40])
  const onRange = useCallback(
    (from: number, to: number) => {
      range.current = [from, to]
      if (count > 0) log.want(top - to, top - from)
    },
    [log, top, count],
  )
  return {
    count,
    rowAt: (index) => log.get(top - index),
    onRange,
    fresh: log.newest - top,
    isLoading: !isKnown,
    error: newest.error ?? oldest.error ?? log.failure,
    retry: () => {
      void newest.refetch()
      void oldest.refetch()
      log.retry()
      log.want(top - range.current[1], top - range.current[0])
    },
  }
}

/** The number at the top of the list: the newest, or where it was when it began to hold. */
function useTop(newest: number, holds: boolean, at: number | null): number {
  const [held, setHeld] = useState<number | null>(at)
  const latest = useRef(newest)
  latest.current = newest
  useEffect(() => {
    setHeld((before) => (holds ? (before ?? at ?? latest.current) : null))
  }, [holds, at])
  return held === null || held > newest ? newest : held
}
