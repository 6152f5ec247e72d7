import { type Query, useIsFetching, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect, useState } from 'react'
import styles from './settling.module.css'

const isFirst = ({ state }: Query): boolean =>
  state.data === undefined && state.fetchFailureCount === 0 && state.fetchStatus === 'fetching'
/** What takes longer is shown when it comes. */
const LONGEST_MS = 4_000

/**
 * Shows its parts all at once, in their final places, when each has been read once or has failed to be: until then a placeholder
 * stands there, so that nothing moves under somebody's eyes.
 */
export function Settling(props: { readonly placeholder: ReactNode; readonly children: ReactNode }): ReactNode {
  const { placeholder, children } = props
  const client = useQueryClient()
  const open = useIsFetching({ predicate: isFirst })
  const [isSettled, setSettled] = useState(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the parts begin to read before this is asked the first time
  useEffect(() => {
    if (client.isFetching({ predicate: isFirst }) === 0) setSettled(true)
  }, [client, open])
  useEffect(() => {
    const timer = setTimeout(() => setSettled(true), LONGEST_MS)
    return () => clearTimeout(timer)
  }, [])
  return (
    <div className={styles['settling']}>
      {isSettled ? null : (
        <div className={styles['placeholder']} data-testid="loading">
          {placeholder}
        </div>
      )}
      <div className={isSettled ? undefined : styles['unseen']} inert={!isSettled}>
        {children}
      </div>
    </div>
  )
}
