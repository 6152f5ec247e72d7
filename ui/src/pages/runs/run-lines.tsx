import type { ReactNode } from 'react'
import type { Run } from '../../api/reads.ts'
import { CutName } from '../../components/cut-name.tsx'
import { Line, Lines } from '../../components/lines.tsx'
import { StatusIcon } from '../../components/status.tsx'
import { Duration, Time } from '../../components/time.tsx'
import { standingOf, toneOfRun } from './run-standing.ts'

/** Runs in a card: how each stands, what is behind it, and how long it takes. */
export function RunLines({ runs, testId }: { readonly runs: readonly Run[]; readonly testId: string }): ReactNode {
  return (
    <Lines>
      {runs.map((run) => (
        <Line
          key={run.run_id}
          testId={testId}
          icon={<StatusIcon value={standingOf(run)} tone={toneOfRun(run)} />}
          title={<CutName name={run.name} />}
          href={`/runs/${encodeURIComponent(run.run_id)}`}
          detail={
            run.completed_at === null ? (
              wordOf(run)
            ) : (
              <>
                {wordOf(run)} · <Time at={run.created_at} />
              </>
            )
          }
          end={<Duration from={run.started_at} to={run.completed_at} />}
        />
      ))}
    </Lines>
  )
}

/** How it stands and what is behind that, or what started it. */
function wordOf(run: Run): string {
  const message = run.condition?.['message'] ?? run.error?.['message']
  return `${standingOf(run)}: ${typeof message === 'string' ? message : run.trigger === 'manual' ? run.actor : run.trigger}`
}
