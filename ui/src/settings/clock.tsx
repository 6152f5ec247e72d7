import type { ReactNode } from 'react'
import { createContext, useContext, useEffect, useState } from 'react'

const TICK_MS = 1_000
const NowContext = createContext(Date.now())

/** One clock for all times that are shown as ages; it rests while nobody looks at the page. */
export function ClockProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now())
    }, TICK_MS)
    return () => clearInterval(timer)
  }, [])
  return <NowContext value={now}>{children}</NowContext>
}

/** This moment, in milliseconds since 1970; changes every second. */
export function useNow(): number {
  return useContext(NowContext)
}
