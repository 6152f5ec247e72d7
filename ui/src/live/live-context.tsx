import { createContext, useContext, useEffect, useRef, useSyncExternalStore } from 'react'
import type { Event } from '../api/reads.ts'
import type { Live, LiveStatus } from './live.ts'

const LiveContext = createContext<Live | null>(null)
export const LiveProvider = LiveContext.Provider

function useLive(): Live {
  const live = useContext(LiveContext)
  if (live === null) throw new Error('there is no stream here')
  return live
}

/** Whether what is shown is how it is, or since when not. */
export function useLiveStatus(): LiveStatus {
  const live = useLive()
  return useSyncExternalStore(
    (onChange) => live.watchStatus(onChange),
    () => live.status,
  )
}

/** Calls back for every event that comes while the component is there. */
export function useEvents(onEvent: (event: Event) => void): void {
  const live = useLive()
  const latest = useRef(onEvent)
  latest.current = onEvent
  useEffect(() => live.listen((event) => latest.current(event)), [live])
}
