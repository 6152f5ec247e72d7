import { useMemo } from 'react'
import type { Alert } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'

interface ActiveAlerts {
  /** The worst first, and of those the newest. */
  readonly alerts: readonly Alert[] | undefined
  readonly critical: number
  /** There are more than were read, of critical ones and of all. */
  readonly isMoreCritical: boolean
  readonly isMore: boolean
  readonly error: Error | null
  readonly refetch: () => void
}

const SHOWN = 100
const ORDER: readonly string[] = ['critical', 'warning', 'info']

/** What nobody has resolved. Critical ones are asked for by themselves: a flood of others does not hide them. */
export function useActiveAlerts(): ActiveAlerts {
  const critical = useRead('/api/v1/alerts', { query: { state: 'active', severity: 'critical', limit: SHOWN } })
  const newest = useRead('/api/v1/alerts', { query: { state: 'active', limit: SHOWN } })
  const alerts = useMemo(() => {
    if (critical.data === undefined || newest.data === undefined) return undefined
    const all = new Map([...critical.data.items, ...newest.data.items].map((alert) => [alert.id, alert]))
    return [...all.values()].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity))
  }, [critical.data, newest.data])
  return {
    alerts,
    critical: critical.data?.items.length ?? 0,
    isMoreCritical: critical.data?.next_cursor != null,
    isMore: newest.data?.next_cursor != null,
    error: critical.error ?? newest.error,
    refetch: () => {
      void critical.refetch()
      void newest.refetch()
    },
  }
}
