import type { ReactNode } from 'react'
import { classNames } from '../text/class-names.ts'
import styles from './slots.module.css'

/** More than these cannot be counted at a glance. */
const MOST_CELLS = 32

/** Places of which some are taken, each a cell that can be counted; many of them as one bar. */
export function Slots(props: { readonly label: string; readonly used: number; readonly total: number }): ReactNode {
  const { label, used, total } = props
  const isFull = used >= total
  const cells = total <= MOST_CELLS ? Math.max(used, total) : MOST_CELLS
  const taken = total <= MOST_CELLS ? used : Math.ceil((used / total) * MOST_CELLS)
  return (
    <span
      className={classNames(styles['slots'], isFull && styles['isFull'])}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={Math.max(used, total)}
      aria-valuenow={used}
      aria-valuetext={`${used} of ${total}`}
    >
      {Array.from({ length: cells }, (_, cell) => (
        <span key={cell} className={classNames(styles['cell'], cell < taken && styles['taken'])} />
      ))}
    </span>
  )
}
