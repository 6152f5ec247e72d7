import { CircleAlert, Inbox, type LucideIcon, PlugZap } from 'lucide-react'
import type { ReactNode } from 'react'
import { ReadError } from '../api/get.ts'
import { isPassing } from '../api/use-read.ts'
import { Button } from './button.tsx'
import styles from './states.module.css'

/** Nothing is there: why that is so, and what to do when there should be something. */
export function Empty(props: {
  readonly title: string
  readonly children?: ReactNode
  readonly icon?: LucideIcon
}): ReactNode {
  const { title, children, icon: Icon = Inbox } = props
  return (
    <div className={styles['state']} data-testid="empty">
      <Icon size={22} aria-hidden className={styles['icon']} />
      <p className={styles['title']}>{title}</p>
      {children === undefined ? null : <div className={styles['text']}>{children}</div>}
    </div>
  )
}

/** It could not be read: what the API says about it, and how to try again. */
export function Failure(props: { readonly error: unknown; readonly onRetry?: () => void }): ReactNode {
  const { error, onRetry } = props
  const passing = isPassing(error)
  const Icon = passing ? PlugZap : CircleAlert
  const known = error instanceof ReadError ? error : null
  return (
    <div className={styles['state']} role="alert" data-testid="failure">
      <Icon size={22} aria-hidden className={styles['bad']} />
      <p className={styles['title']}>{known?.message ?? 'The page failed to show this'}</p>
      <div className={styles['text']}>
        {known === null ? String(error) : known.remedy}
        {known === null || known.ref === '' ? null : <code className={styles['ref']}>{known.ref}</code>}
      </div>
      {onRetry === undefined ? null : (
        <Button onClick={onRetry} testId="retry">
          Try again
        </Button>
      )}
    </div>
  )
}

/** Stands where something is about to be, as high as that will be: `lines` lines of text. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }): ReactNode {
  return (
    <div className={styles['skeleton']} data-testid="loading">
      <span className="visually-hidden">Loading</span>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} className={styles['bar']} aria-hidden />
      ))}
    </div>
  )
}

interface Reading<T> {
  readonly data: T | undefined
  readonly error: Error | null
  readonly refetch: () => unknown
}

/**
 * What was read, once it is there; until then a placeholder of `lines` lines, or why it cannot be read. What was read once
 * stays while it is read again, also when that fails.
 */
export function Loaded<T>(props: {
  readonly of: Reading<T>
  readonly lines?: number
  readonly children: (data: T) => ReactNode
}): ReactNode {
  const { of, lines, children } = props
  if (of.data !== undefined) return children(of.data)
  if (of.error !== null) return <Failure error={of.error} onRetry={() => void of.refetch()} />
  return <Skeleton {...(lines === undefined ? {} : { lines })} />
}
