import type { ReactNode } from 'react'
import { classNames } from '../text/class-names.ts'
import styles from './button.module.css'

interface ButtonProps {
  readonly children: ReactNode
  readonly onClick: () => void
  readonly testId: string
  /** `quiet` has no edge: in bars. Default: normal. */
  readonly look?: 'normal' | 'quiet'
  /** Needed where `children` is an icon only. */
  readonly label?: string
  readonly pressed?: boolean
}

/** A button of the page. It never changes anything but what the page shows. */
export function Button({ children, onClick, testId, look = 'normal', label, pressed }: ButtonProps): ReactNode {
  return (
    <button
      type="button"
      className={classNames(styles['button'], styles[look])}
      onClick={onClick}
      aria-label={label}
      aria-pressed={pressed}
      title={label}
      data-testid={testId}
    >
      {children}
    </button>
  )
}
