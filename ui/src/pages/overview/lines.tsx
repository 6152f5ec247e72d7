import type { ReactNode } from 'react'
import { Link } from 'wouter'
import styles from './lines.module.css'

/** Rows of a widget, each one thing. */
export function Lines({ children }: { readonly children: ReactNode }): ReactNode {
  return <ul className={styles['lines']}>{children}</ul>
}

/** One thing: what it is, what is said of it, how it stands. */
export function Line(props: {
  readonly title: ReactNode
  readonly href?: string
  readonly detail?: ReactNode
  readonly end?: ReactNode
  readonly below?: ReactNode
  readonly testId: string
}): ReactNode {
  const { title, href, detail, end, below, testId } = props
  return (
    <li className={styles['line']} data-testid={testId}>
      <div className={styles['row']}>
        <div className={styles['text']}>
          <span className={styles['title']}>{href === undefined ? title : <Link href={href}>{title}</Link>}</span>
          {detail === undefined ? null : <span className={styles['detail']}>{detail}</span>}
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
