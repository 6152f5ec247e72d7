import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Loaded } from '../../components/states.tsx'
import { classNames } from '../../text/class-names.ts'
import { short } from '../../text/numbers.ts'
import { duration } from '../../text/time.ts'
import styles from './queue.module.css'

interface Figure {
  readonly id: string
  readonly word: string
  readonly value: string
  /** More than none of it asks for a look. */
  readonly isLoud?: boolean
}

/** What there is to do, and what was recovered in the last day. */
export function Queue(): ReactNode {
  const overview = useRead('/api/v1/overview')
  const recovery = useRead('/api/v1/recovery/stats')
  return (
    <div className={styles['groups']}>
      <Loaded of={overview} lines={2}>
        {({ queue }) => (
          <Figures
            title="Now"
            of={[
              figure('running', 'runs going on', queue.runs_running),
              figure('due', 'runs nobody has taken', queue.runs_due),
              figure('queued', 'tasks queued', queue.tasks_queued),
              figure('leased', 'tasks under way', queue.tasks_leased),
              { ...figure('dead-letters', 'dead letters', queue.dead_letters), isLoud: queue.dead_letters > 0 },
            ]}
          />
        )}
      </Loaded>
      <Loaded of={recovery} lines={2}>
        {({ retried, resumed, compensated, dead, quarantined, mttr_ms: mttr }) => (
          <Figures
            title="Recovered in the last 24 hours"
            of={[
              figure('retried', 'retried', retried),
              figure('resumed', 'resumed', resumed),
              figure('compensated', 'compensated', compensated),
              { ...figure('dead', 'dead', dead), isLoud: dead > 0 },
              { ...figure('quarantined', 'quarantined', quarantined), isLoud: quarantined > 0 },
              { id: 'mttr', word: 'until recovered', value: mttr === null ? '–' : duration(mttr) },
            ]}
          />
        )}
      </Loaded>
    </div>
  )
}

function figure(id: string, word: string, value: number): Figure {
  return { id, word, value: short(value) }
}

function Figures(props: { readonly title: string; readonly of: readonly Figure[] }): ReactNode {
  return (
    <section aria-label={props.title} className={styles['group']}>
      <h3 className={styles['title']}>{props.title}</h3>
      <dl className={styles['figures']}>
        {props.of.map(({ id, word, value, isLoud }) => (
          <div key={id} className={styles['figure']} data-testid={`figure-${id}`}>
            <dt>{word}</dt>
            <dd className={classNames(isLoud === true && styles['loud'])}>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
