import type { ReactNode } from 'react'
import type { RunCounts } from '../../api/reads.ts'
import { classNames } from '../../text/class-names.ts'
import { short } from '../../text/numbers.ts'
import styles from './runs.module.css'

export const VIEWS = [
  { id: '', label: 'All', query: {}, count: (counts: RunCounts) => counts.total },
  { id: 'waiting', label: 'Waiting', query: { waits_for: 'approval' }, count: (counts: RunCounts) => counts.waiting },
  {
    id: 'open',
    label: 'Under way',
    query: { status: 'created,running' },
    count: (counts: RunCounts) => counts.created + counts.running,
  },
  { id: 'failed', label: 'Failed', query: { status: 'failed' }, count: (counts: RunCounts) => counts.failed },
  {
    id: 'completed',
    label: 'Completed',
    query: { status: 'completed' },
    count: (counts: RunCounts) => counts.completed,
  },
  {
    id: 'cancelled',
    label: 'Cancelled',
    query: { status: 'cancelled' },
    count: (counts: RunCounts) => counts.cancelled,
  },
] as const

/** Which runs are shown, with how many there are of each. */
export function StatusTabs(props: {
  readonly value: string
  readonly counts: RunCounts | undefined
  readonly onChange: (value: string) => void
}): ReactNode {
  return (
    <div className={styles['views']} role="group" aria-label="Status">
      {VIEWS.map(({ id, label, count }) => {
        const number = props.counts === undefined ? null : count(props.counts)
        return (
          <button
            key={id}
            type="button"
            className={classNames(styles['view'], styles[`view-${id}`])}
            aria-pressed={props.value === id}
            data-testid={`runs-view-${id === '' ? 'all' : id}`}
            onClick={() => props.onChange(id)}
          >
            {label}
            <span className={classNames(styles['count'], number === 0 && styles['none'])}>
              {number === null ? '…' : short(number)}
            </span>
          </button>
        )
      })}
    </div>
  )
}
