import type { ReactNode } from 'react'
import { classNames } from '../text/class-names.ts'
import styles from './meter.module.css'

/** How much of something is used: a bar, with the words beside it. `mark` is a second value, such as a forecast. */
export function Meter(props: {
  readonly label: string
  readonly value: number
  readonly max: number
  /** What is said of it: `$12.40 of $50.00`. */
  readonly text: string
  readonly mark?: number | null
  readonly tone?: 'good' | 'warn' | 'bad' | 'accent'
}): ReactNode {
  const { label, value, max, text, mark = null, tone = 'accent' } = props
  const share = (amount: number): string => `${max <= 0 ? 0 : Math.min(100, (amount / max) * 100)}%`
  return (
    <div
      className={styles['meter']}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={max}
      aria-valuenow={Math.min(value, max)}
      aria-valuetext={text}
    >
      <div className={styles['track']}>
        <div className={classNames(styles['fill'], styles[tone])} style={{ width: share(value) }} />
        {mark === null ? null : <div className={styles['mark']} style={{ left: share(mark) }} />}
      </div>
    </div>
  )
}
