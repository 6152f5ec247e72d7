import type { ReactNode } from 'react'
import { useLocation } from 'wouter'
import { Link } from './link.tsx'
import styles from './sub-nav.module.css'

interface Part {
  readonly href: string
  readonly label: string
  /** How many there are, where somebody should look. */
  readonly count?: number | undefined
}

/** Parts of one subject that have pages of their own. */
export function SubNav({ label, parts }: { readonly label: string; readonly parts: readonly Part[] }): ReactNode {
  const [location] = useLocation()
  return (
    <nav className={styles['nav']} aria-label={label} data-testid="sub-nav">
      {parts.map(({ href, label: name, count }) => (
        <Link
          key={href}
          href={href}
          className={styles['part']}
          aria-current={location === href ? 'page' : undefined}
          data-testid={`sub-nav-${href.slice(1)}`}
        >
          {name}
          {count === undefined || count === 0 ? null : <span className={styles['count']}>{count}</span>}
        </Link>
      ))}
    </nav>
  )
}
