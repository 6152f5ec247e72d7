import { type ReactNode, useMemo, useRef } from 'react'
import type { Run, RunGraphNode } from '../../api/reads.ts'
import { Link } from '../../components/link.tsx'
import { Empty } from '../../components/states.tsx'
import { StatusIcon } from '../../components/status.tsx'
import { toneOf } from '../../components/status-tone.ts'
import { useWidth } from '../../components/use-width.ts'
import { useNow } from '../../settings/clock.tsx'
import { useSettings } from '../../settings/settings.tsx'
import { classNames } from '../../text/class-names.ts'
import { duration, stamp } from '../../text/time.ts'
import styles from './run-timeline.module.css'
import { standingOfStep, stepHref } from './step-standing.ts'
import { type Attempt, type Row, type Scale, type StepTimes, timelineRows, timeScale } from './timeline.ts'

const TICK_WIDTH = 84

/** When each step ran, and for how long: a bar for each attempt. What goes on grows as one looks. */
export function RunTimeline(props: {
  readonly run: Run
  readonly nodes: readonly RunGraphNode[]
  readonly steps: readonly StepTimes[]
}): ReactNode {
  const { run, nodes, steps } = props
  const frame = useRef<HTMLDivElement>(null)
  const width = useWidth(frame)
  const now = useNow()
  const rows = useMemo(() => timelineRows(nodes, steps), [nodes, steps])
  const byPath = useMemo(() => new Map(nodes.map((node) => [node.path, node])), [nodes])
  const from = Date.parse(run.started_at ?? run.created_at)
  const to = run.completed_at === null ? null : Date.parse(run.completed_at)
  const shown = rows.filter(({ attempts }) => attempts.length > 0)
  if (shown.length === 0) return <Empty title="No step has begun yet" />
  const scale = timeScale(shown, { from, to }, now, Math.max(2, Math.floor((width * 0.68) / TICK_WIDTH)))
  return (
    <div ref={frame} className={styles['frame']} data-testid="run-timeline">
      <div className={classNames(styles['row'], styles['head'])} aria-hidden>
        <span className={styles['label']} />
        <div className={styles['track']}>
          {scale.ticks.map(({ at, afterMs }) => (
            <span key={afterMs} className={styles['tick']} style={{ left: `${at * 100}%` }}>
              {afterMs === 0 ? '0' : duration(afterMs)}
            </span>
          ))}
        </div>
      </div>
      <ol className={styles['rows']}>
        {shown.map((row) => (
          <TimelineRow
            key={row.path}
            row={row}
            node={byPath.get(row.path)!}
            scale={scale}
            now={now}
            runId={run.run_id}
          />
        ))}
      </ol>
    </div>
  )
}

function TimelineRow(props: {
  readonly row: Row
  readonly node: RunGraphNode
  readonly scale: Scale
  readonly now: number
  readonly runId: string
}): ReactNode {
  const { row, node, scale, now, runId } = props
  const { zone } = useSettings()
  const standing = standingOfStep(node)
  return (
    <li className={styles['row']}>
      <Link
        href={stepHref(runId, row.path)}
        className={styles['label']}
        style={{ paddingInlineStart: `${row.depth}rem` }}
        data-testid={`timeline-${row.path}`}
      >
        <StatusIcon value={standing.word} tone={standing.tone} />
        <span className={styles['name']}>{row.name}</span>
      </Link>
      <div className={styles['track']}>
        {scale.ticks.map(({ at, afterMs }) => (
          <span key={afterMs} className={styles['line']} style={{ left: `${at * 100}%` }} aria-hidden />
        ))}
        {row.attempts.map((attempt) => (
          <Bar
            key={attempt.attempt}
            attempt={attempt}
            tone={attempt.to === null ? standing.tone : toneOf(attempt.status)}
            isWaiting={attempt.to === null && standing.tone === 'wait'}
            of={row.attempts.length}
            scale={scale}
            now={now}
            title={`${row.name}${row.attempts.length > 1 ? `, attempt ${attempt.attempt}` : ''}: ${attempt.to === null ? standing.word : attempt.status}, ${duration((attempt.to ?? now) - attempt.from)} from ${stamp(attempt.from, zone, true)}`}
          />
        ))}
      </div>
    </li>
  )
}

function Bar(props: {
  readonly attempt: Attempt
  readonly tone: string
  readonly isWaiting: boolean
  readonly of: number
  readonly scale: Scale
  readonly now: number
  readonly title: string
}): ReactNode {
  const { attempt, tone, isWaiting, scale, now, title } = props
  const [left, right] = [scale.at(attempt.from), scale.at(attempt.to ?? now)]
  const isLate = left > 0.8
  return (
    <>
      <span
        className={classNames(
          styles['bar'],
          styles[tone],
          isWaiting && styles['waiting'],
          attempt.to === null && styles['open'],
        )}
        style={{ left: `${left * 100}%`, width: `${(right - left) * 100}%` }}
        title={title}
        role="img"
        aria-label={title}
      />
      {attempt.attempt === props.of ? (
        <span
          className={styles['length']}
          style={isLate ? { right: `${(1 - left) * 100}%` } : { left: `${right * 100}%` }}
          aria-hidden
        >
          {duration(Math.max(0, (attempt.to ?? now) - attempt.from))}
        </span>
      ) : null}
    </>
  )
}
