import { Bot } from 'lucide-react'
import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Line, Lines, More } from '../../components/lines.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { whole } from '../../text/numbers.ts'

const SHOWN = 7

/** Agents that are not as they should be first. */
export function Agents(): ReactNode {
  const dashboard = useRead('/api/v1/dashboard')
  return (
    <Loaded of={dashboard} lines={6}>
      {({ agents: { items, by_phase: phases } }) => {
        const total = Object.values(phases).reduce((sum, count) => sum + count, 0)
        return items.length === 0 ? (
          <Empty title="No agent is declared" icon={Bot}>
            An agent is a file in the state repo: <code>agents/&lt;name&gt;.yaml</code>, merged.
          </Empty>
        ) : (
          <>
            <Lines>
              {items.slice(0, SHOWN).map(({ namespace, name, phase, ready, message, open_tasks: tasks }) => (
                <Line
                  key={`${namespace}/${name}`}
                  testId="overview-agent"
                  title={name}
                  href={`/agents/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`}
                  detail={message ?? 'nothing is said of it yet'}
                  end={
                    <>
                      {tasks === 0 ? null : (
                        <span>
                          {tasks} {tasks === 1 ? 'task' : 'tasks'}
                        </span>
                      )}
                      <Status
                        value={phase ?? 'Pending'}
                        tone={ready === 'True' ? 'good' : ready === 'False' ? 'bad' : 'wait'}
                      />
                    </>
                  }
                />
              ))}
            </Lines>
            {total > SHOWN ? <More href="/agents">All {whole(total)} agents</More> : null}
          </>
        )
      }}
    </Loaded>
  )
}

/** How many are in each phase. */
export function AgentsAside(): ReactNode {
  const phases = Object.entries(useRead('/api/v1/dashboard').data?.agents.by_phase ?? {})
  return <span>{phases.map(([phase, count]) => `${whole(count)} ${phase.toLowerCase()}`).join(', ')}</span>
}
