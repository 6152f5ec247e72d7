import { type ReactNode, useEffect } from 'react'
import { classNames } from '../text/class-names.ts'
import styles from './page.module.css'

/** A page: its title (the browser's, too), one line on what it shows, what stands beside the title, and the rest. */
export function PageFrame(props: {
  readonly title: string
  /** What stands in the tab of the browser. Default: the title. */
  readonly tab?: string
  readonly lead?: ReactNode
  /** Beside the title: status, filters. */
  readonly aside?: ReactNode
  /** Above the title: where this belongs. */
  readonly crumbs?: ReactNode
  /** It takes all the room there is, on a wall display, too. */
  readonly isWide?: boolean
  readonly children: ReactNode
}): ReactNode {
  const tab = props.tab ?? props.title
  useEffect(() => {
    document.title = `${tab} · Stateward`
  }, [tab])
  return (
    <div className={classNames(styles['page'], props.isWide === true && styles['wide'])}>
      <header className={styles['header']}>
        <div className={styles['headings']}>
          {props.crumbs === undefined ? null : <div className={styles['crumbs']}>{props.crumbs}</div>}
          <h1 className={styles['title']}>{props.title}</h1>
          {props.lead === undefined ? null : <p className={styles['lead']}>{props.lead}</p>}
        </div>
        {props.aside === undefined ? null : <div className={styles['aside']}>{props.aside}</div>}
      </header>
      {props.children}
    </div>
  )
}

/** A part of a page on a surface of its own, with a heading. */
export function Card(props: {
  readonly title: string
  readonly aside?: ReactNode
  readonly children: ReactNode
  readonly testId?: string
  /** The content reaches the edges: lists and tables. */
  readonly flush?: boolean
}): ReactNode {
  return (
    <section className={styles['card']} aria-label={props.title} data-testid={props.testId}>
      <header className={styles['cardHeader']}>
        <h2 className={styles['cardTitle']}>{props.title}</h2>
        {props.aside === undefined ? null : <div className={styles['cardAside']}>{props.aside}</div>}
      </header>
      <div className={classNames(styles['content'], props.flush === true && styles['flush'])}>{props.children}</div>
    </section>
  )
}

/** Pairs of a word and what it stands for. */
export function Facts(props: { readonly of: readonly (readonly [term: string, value: ReactNode])[] }): ReactNode {
  return (
    <dl className={styles['facts']}>
      {props.of.map(([term, value]) => (
        <div key={term} className={styles['fact']}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
