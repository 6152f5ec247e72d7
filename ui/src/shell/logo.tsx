import type { ReactNode } from 'react'
import styles from './logo.module.css'

/** The sign of Stateward, in the colours of the theme. */
export function Logo(): ReactNode {
  return (
    <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true" className={styles['logo']}>
      <rect width="32" height="32" rx="8" />
      <path d="M9 20.5c2 2 4.3 3 7.2 3 4 0 6.8-2 6.8-5.1 0-3-2.3-4.2-6.3-5-3.2-.7-4.3-1.1-4.3-2.3 0-1.1 1.2-1.9 3.3-1.9 2 0 3.7.7 5.1 1.9" />
    </svg>
  )
}
