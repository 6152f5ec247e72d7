import { Play } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Answer } from '../../api/get.ts'
import { useRead } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { Empty, Failure, Skeleton } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Duration, Time } from '../../components/time.tsx'
import { Line, Lines, More } from './lines.tsx'
import styles from './waiting.module.css'

const SHOWN = 7

type Run = Answer<'/api/v1/runs'>['items'][number]

/** Runs that go on, and behind them the last ones that ended. */
export function Runs(): ReactNode {
  const open = useRead('/api/v1/runs', { query: { status: 'running', limit: SHOWN } })
  const latest = useRead('/api/v1/runs', { query: { limit: SHOWN } })
  if (latest.data === undefined) {
    if (latest.error !== null) return <Failure error={latest.error} onRetry={() => void latest.refetch()} />
    return (
      <div className={styles['pending']}>
        <Skeleton lines={5} />
      </div>
    )
  }
  const runs = withoutTwice([...(open.data?.items ?? []), ...latest.data.items]).slice(0, SHOWN)
  if (runs.length === 0)
    return (
      <Empty title="No run yet" icon={Play}>
        <p>A blueprint runs when its event comes, at its time, or when somebody starts it.</p>
        <Command command="stateward run <blueprint>" label="Start one" />
      </Empty>
    )
  return (
    <>
      <Lines>
        {runs.map((run) => (
          <Line
            key={run.run_id}
            testId="overview-run"
            title={run.name}
            href={`/runs/${encodeURIComponent(run.run_id)}`}
            detail={
              <>
                {wordOf(run)} · <Time at={run.created_at} />
              </>
            }
            end={
              <>
                <Duration from={run.started_at} to={run.completed_at} />
                <Status value={run.status} />
              </>
            }
          />
        ))}
      </Lines>
      <More href="/runs">All runs</More>
    </>
  )
}

function withoutTwice(runs: readonly Run[]): readonly Run[] {
  return [...new Map(runs.map((run) => [run.run_id, run])).values()]
}

/** What is behind it, or why it stands where it stands. */
function wordOf({ condition, error, trigger }: Run): string {
  const message = condition?.['message'] ?? error?.['message']
  return typeof message === 'string' ? message : trigger
}
