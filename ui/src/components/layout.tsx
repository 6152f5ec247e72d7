import type { ReactNode } from 'react'
import { classNames } from '../text/class-names.ts'
import styles from './layout.module.css'

/** Two columns beside each other; one above the other where there is no room. `first` is how much of it the first one has: 1/2, 3/5 (default) or 2/3. */
export function Columns(props: {
  readonly first?: 'even' | 'more' | 'most'
  readonly children: ReactNode
  readonly testId?: string
}): ReactNode {
  return (
    <div className={classNames(styles['columns'], styles[props.first ?? 'more'])} data-testid={props.testId}>
      {props.children}
    </div>
  )
}

/** One below the other; a section where it is named by a heading in it. */
export function Stack(props: { readonly children: ReactNode; readonly labelledBy?: string }): ReactNode {
  const { children, labelledBy } = props
  if (labelledBy === undefined) return <div className={styles['stack']}>{children}</div>
  return (
    <section className={styles['stack']} aria-labelledby={labelledBy}>
      {children}
    </section>
  )
}
