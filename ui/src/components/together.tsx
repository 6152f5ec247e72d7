import type { ReactNode } from 'react'
import { Skeleton } from './states.tsx'

/**
 * Parts of a page that are shown at once: none pushes another one down when it comes later. Each says by itself what could
 * not be read. Later readings change nothing about it.
 */
export function Together(props: {
  readonly of: readonly { readonly data: unknown; readonly failureCount: number }[]
  /** Of the placeholder. */
  readonly lines?: number
  readonly children: ReactNode
}): ReactNode {
  const { of, lines = 14, children } = props
  return of.every(({ data, failureCount }) => data !== undefined || failureCount > 0) ? (
    children
  ) : (
    <Skeleton lines={lines} />
  )
}
