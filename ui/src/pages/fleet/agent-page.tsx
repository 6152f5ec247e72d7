import type { ReactNode } from 'react'
import type { AgentHealth, AgentRecord, Intervention, TaskRecord } from '../../api/reads.ts'
import { useRead, useReadList } from '../../api/use-read.ts'
import { CommandSet } from '../../components/command-set.tsx'
import { Columns, Stack } from '../../components/layout.tsx'
import { Link } from '../../components/link.tsx'
import { Meter } from '../../components/meter.tsx'
import { Card, Facts, PageFrame } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { Together } from '../../components/together.tsx'
import type { PageProps } from '../../page-props.ts'
import { bytes, money, whole } from '../../text/numbers.ts'
import { agentCommands } from './agent-commands.ts'
import styles from './fleet.module.css'
import { InterventionItem } from './interventions-page.tsx'

const tasksOf = (agent: string, namespace: string) => ({ path: { agent }, query: { namespace, limit: 10 } })
const interventionsOf = (agent: string, namespace: string) => ({ query: { agent, namespace, limit: 10 } })

/** One agent: its processes, its work, what was done to it, and the commands for the rest. */
export function Page({ params }: PageProps): ReactNode {
  const { namespace = 'default', name = '' } = params
  const asked = { path: { agent: name }, query: { namespace } }
  const record = useRead('/api/v1/agents/{agent}', asked)
  const health = useRead('/api/v1/agents/{agent}/health', asked, { everyMs: 10_000 })
  const tasks = useRead('/api/v1/agents/{agent}/tasks', tasksOf(name, namespace))
  const interventions = useReadList('/api/v1/interventions', interventionsOf(name, namespace))
  const status = record.data?.status
  return (
    <PageFrame
      title={name}
      tab={`Agent ${name}`}
      crumbs={<Link href="/agents">Agents</Link>}
      lead={record.data?.description ?? record.data?.message}
      aside={status === undefined ? null : <Status value={status} />}
    >
      <Loaded of={record} lines={6}>
        {(agent) => (
          <Together of={[health, tasks, interventions]}>
            <Declared agent={agent} />
            <Columns>
              <Stack>
                <Loaded of={health} lines={4}>
                  {(found) => <Instances health={found} />}
                </Loaded>
                <Tasks name={name} namespace={namespace} />
              </Stack>
              <Interventions name={name} namespace={namespace} />
            </Columns>
            <CommandSet commands={agentCommands(agent)} testId="agent-commands" />
          </Together>
        )}
      </Loaded>
    </PageFrame>
  )
}

function Declared({ agent }: { readonly agent: AgentRecord }): ReactNode {
  return (
    <Card title="Declared" testId="agent-facts">
      <Facts
        of={[
          ['Standing', agent.message],
          ['Runs as', agent.mode],
          [
            'Wanted',
            `${agent.replicas} ${agent.replicas === 1 ? 'instance' : 'instances'}${agent.suspended ? ', suspended' : ''}`,
          ],
          ['Capabilities', agent.capabilities.length === 0 ? '–' : agent.capabilities.join(', ')],
          ['Template', agent.template ?? '–'],
          ['Project', agent.project ?? '–'],
          ['Spawned by', agent.parent ?? '–'],
          ['Declared since', <Time key="time" at={agent.created_at} />],
        ]}
      />
    </Card>
  )
}

function Instances({ health }: { readonly health: AgentHealth }): ReactNode {
  return (
    <Card title="Instances" flush testId="agent-instances" aside={`${health.instances.length} alive`}>
      {health.instances.length === 0 ? (
        <Empty title="Nothing of it runs at this moment">
          An agent that is started for each task has a process only while it works; a daemon has one all the time unless
          it is paused, stopped, or no host has a slot.
        </Empty>
      ) : (
        <ul className={styles['list']}>
          {health.instances.map((instance) => (
            <li key={instance.instance_id} className={styles['item']}>
              <div className={styles['itemHead']}>
                <span className={styles['itemName']}>
                  #{instance.ordinal} on <Link href={`/hosts/${instance.host}`}>{instance.host}</Link>
                </span>
                <Status value={instance.health} look="plain" />
                <span className={styles['spacer']} />
                <span className="faint">
                  heartbeat <Time at={instance.last_heartbeat} />
                </span>
              </div>
              <div className={styles['details']}>
                <span>{instance.busy ? 'works on a task' : 'idle'}</span>
                <span>
                  started <Time at={instance.started_at} />
                </span>
                <span>{instance.restarts === 1 ? '1 restart' : `${instance.restarts} restarts`}</span>
                {instance.cpu_percent === null ? null : <span>{instance.cpu_percent.toFixed(0)}% CPU</span>}
                {instance.memory_bytes === null ? null : <span>{bytes(instance.memory_bytes)}</span>}
                <span>
                  {whole(instance.usage.tokens)} tokens, {money(instance.usage.cost_usd)}
                </span>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

function Tasks(agent: { readonly name: string; readonly namespace: string }): ReactNode {
  const tasks = useRead('/api/v1/agents/{agent}/tasks', tasksOf(agent.name, agent.namespace))
  return (
    <Card title="Latest tasks" flush testId="agent-tasks">
      <Loaded of={tasks}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="It has had no task yet">
              Runs give it tasks; a person can, too: <code>stateward task create --help</code>
            </Empty>
          ) : (
            <ul className={styles['list']}>
              {items.map((task) => (
                <TaskItem key={task.task_id} task={task} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  )
}

function TaskItem({ task }: { readonly task: TaskRecord }): ReactNode {
  const progress = task.progress as { readonly done?: number; readonly total?: number } | null
  return (
    <li className={styles['item']}>
      <div className={styles['itemHead']}>
        <span className={styles['itemName']}>
          {task.run_id === null ? 'Task' : <Link href={`/runs/${task.run_id}`}>{task.path ?? 'Run'}</Link>}
        </span>
        <Status value={task.status} look="plain" />
        {task.attempt > 1 ? <span className="faint">attempt {task.attempt}</span> : null}
        <span className={styles['spacer']} />
        <span className="faint">
          <Time at={task.created_at} />
        </span>
      </div>
      <p className={styles['quote']}>{task.error?.message ?? firstLine(task.prompt)}</p>
      {typeof progress?.done === 'number' && typeof progress.total === 'number' ? (
        <Meter
          label="Progress"
          value={progress.done}
          max={progress.total}
          text={`${progress.done} of ${progress.total}`}
        />
      ) : null}
    </li>
  )
}

function firstLine(text: string): string {
  const [line = ''] = text.split('\n')
  return line.length > 160 ? `${line.slice(0, 160)}…` : line
}

function Interventions(agent: { readonly name: string; readonly namespace: string }): ReactNode {
  const interventions = useReadList('/api/v1/interventions', interventionsOf(agent.name, agent.namespace))
  return (
    <Card title="Interventions" flush testId="agent-interventions">
      <Loaded of={interventions}>
        {(items: readonly Intervention[]) =>
          items.length === 0 ? (
            <Empty title="Nobody intervened">
              A pause or a limit takes effect in under a second: the commands are below.
            </Empty>
          ) : (
            <ul className={styles['list']}>
              {items.map((each) => (
                <InterventionItem key={each.id} intervention={each} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  )
}
