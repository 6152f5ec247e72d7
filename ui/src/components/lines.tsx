import type { ReactNode } from 'react'
import styles from './lines.module.css'
import { Link } from './link.tsx'

/** Rows of a card, each one thing. */
export function Lines({ children }: { readonly children: ReactNode }): ReactNode {
  return <ul className={styles['lines']}>{children}</ul>
}

/** One thing: how it stands, what it is, what is said of it, and what stands at its end. */
export function Line(props: {
  readonly icon?: ReactNode
  readonly title: ReactNode
  readonly href?: string
  readonly detail?: ReactNode
  readonly end?: ReactNode
  readonly below?: ReactNode
  readonly testId: string
}): ReactNode {
  const { icon, title, href, detail, end, below, testId } = props
  return (
    <li className={styles['line']} data-testid={testId}>
      <div className={styles['row']}>
        {icon === undefined ? null : <span className={styles['icon']}>{icon}</span>}
        <div className={styles['text']}>
          <span className={styles['title']}>{href === undefined ? title : <Link href={href}>{title}</Link>}</span>
          {detail === undefined ? null : (
            <span className={styles['detail']} title={typeof detail === 'string' ? detail : undefined}>
              {detail}
            </span>
          )}
        </div>
        {end === undefined ? null : <div className={styles['end']}>{end}</div>}
      </div>
      {below}
    </li>
  )
}

/** What is behind the rows that are shown. */
export function More({ href, children }: { readonly href: string; readonly children: ReactNode }): ReactNode {
  return (
    <p className={styles['more']}>
      <Link href={href}>{children}</Link>
    </p>
  )
}
