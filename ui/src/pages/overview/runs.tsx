import { Play } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Run } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { More } from '../../components/lines.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { RunLines } from '../runs/run-lines.tsx'

const SHOWN = 7

/** Runs that go on, and behind them the last ones that ended. */
export function Runs(): ReactNode {
  const open = useRead('/api/v1/runs', { query: { status: 'running', values: false, limit: SHOWN } })
  const latest = useRead('/api/v1/runs', { query: { values: false, limit: SHOWN } })
  return (
    <Loaded of={latest} lines={5}>
      {({ items }) => {
        const runs = withoutTwice([...(open.data?.items ?? []), ...items]).slice(0, SHOWN)
        return runs.length === 0 ? (
          <Empty title="No run yet" icon={Play}>
            <p>A blueprint runs when its event comes, at its time, or when somebody starts it.</p>
            <Command command="stateward run <blueprint>" label="Start one" />
          </Empty>
        ) : (
          <>
            <RunLines runs={runs} testId="overview-run" />
            <More href="/runs">All runs</More>
          </>
        )
      }}
    </Loaded>
  )
}

function withoutTwice(runs: readonly Run[]): readonly Run[] {
  return [...new Map(runs.map((run) => [run.run_id, run])).values()]
}
