import type { ReactNode } from 'react'
import type { AgentHealth, AgentInstance, Host } from '../../api/reads.ts'
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
import { bytes, percent } from '../../text/numbers.ts'
import { duration } from '../../text/time.ts'
import { hostCommands } from './agent-commands.ts'
import styles from './fleet.module.css'
import { hostState, hostTone } from './host-state.ts'

/** One host: what it has, what is used, and whose processes live there. */
export function Page({ params }: PageProps): ReactNode {
  const { host: name = '' } = params
  const host = useRead('/api/v1/hosts/{host}', { path: { host: name } }, { everyMs: 10_000 })
  const health = useReadList('/api/v1/agents/health', { query: { limit: 500 } }, { everyMs: 10_000 })
  const found = host.data
  return (
    <PageFrame
      title={name}
      tab={`Host ${name}`}
      crumbs={<Link href="/hosts">Hosts</Link>}
      lead={found?.unfit ?? found?.message}
      aside={found === undefined ? null : <Status value={hostState(found)} tone={hostTone(found)} />}
    >
      <Loaded of={host} lines={6}>
        {(is) => (
          <Together of={[health]}>
            <Columns>
              <Stack>
                <Usage host={is} />
                <Loaded of={health} lines={4}>
                  {(agents: readonly AgentHealth[]) => <Living of={livingOn(agents, name)} />}
                </Loaded>
              </Stack>
              <Known host={is} />
            </Columns>
            <CommandSet commands={hostCommands(is)} testId="host-commands" />
          </Together>
        )}
      </Loaded>
    </PageFrame>
  )
}

function Usage({ host }: { readonly host: Host }): ReactNode {
  const { slots, memory, metrics, hardware } = host
  return (
    <Card title="In use" testId="host-usage">
      <div className={styles['gauges']}>
        <Gauge label="Slots" value={slots.used} max={slots.total} text={`${slots.used} of ${slots.total}`} />
        {memory.total === null ? null : (
          <Gauge
            label="Memory claimed"
            value={memory.claimed}
            max={memory.total}
            text={`${bytes(memory.claimed)} of ${bytes(memory.total)}`}
          />
        )}
        {metrics === null ? null : <Gauge label="CPU" value={metrics.cpu} max={1} text={percent(metrics.cpu)} />}
        {metrics === null || hardware === null ? null : (
          <>
            <Gauge
              label="Memory used"
              value={metrics.memory_used}
              max={hardware.memory}
              text={`${bytes(metrics.memory_used)} of ${bytes(hardware.memory)}`}
            />
            <Gauge
              label="Storage used"
              value={metrics.storage_used}
              max={hardware.storage}
              text={`${bytes(metrics.storage_used)} of ${bytes(hardware.storage)}`}
            />
          </>
        )}
      </div>
    </Card>
  )
}

function Gauge(props: {
  readonly label: string
  readonly value: number
  readonly max: number
  readonly text: string
}): ReactNode {
  const { label, value, max, text } = props
  const used = max <= 0 ? 0 : value / max
  return (
    <div className={styles['gauge']}>
      <div className={styles['gaugeHead']}>
        <span>{label}</span>
        <span className="faint">{text}</span>
      </div>
      <Meter
        label={label}
        value={value}
        max={max}
        text={text}
        tone={used >= 0.95 ? 'bad' : used >= 0.8 ? 'warn' : 'accent'}
      />
    </div>
  )
}

function Known({ host }: { readonly host: Host }): ReactNode {
  const labels = Object.entries(host.labels)
  return (
    <Card title="What it is" testId="host-facts">
      <Facts
        of={[
          ['Connection', host.connection === 'local' ? 'this machine' : 'joined over the network'],
          ['Role', host.role],
          [
            'Labels',
            labels.length === 0 ? (
              '–'
            ) : (
              <span key="labels" className={styles['labels']}>
                {labels.map(([key, value]) => (
                  <code key={key} className={styles['label']}>
                    {key}={value}
                  </code>
                ))}
              </span>
            ),
          ],
          ['Heartbeat', <Time key="heartbeat" at={host.last_heartbeat_at} />],
          ['Joined', <Time key="joined" at={host.joined_at} />],
          ['Version', host.version ?? '–'],
          [
            'Started up',
            host.boot_duration_ms === null
              ? (host.boot_phase ?? '–')
              : `${host.boot_phase ?? ''} in ${duration(host.boot_duration_ms)}`,
          ],
          ['Cores', host.hardware === null ? '–' : String(host.hardware.cpu)],
          ['GPUs', host.hardware === null ? '–' : String(host.hardware.gpu)],
          ['Cordoned by', host.cordoned_by ?? '–'],
          ...(host.drain === null
            ? []
            : [['Drained', `${host.drain.total - host.drain.remaining} of ${host.drain.total} gone`] as const]),
        ]}
      />
    </Card>
  )
}

interface Lodger {
  readonly agent: AgentHealth
  readonly instance: AgentInstance
}

function livingOn(agents: readonly AgentHealth[], host: string): readonly Lodger[] {
  return agents.flatMap((agent) =>
    agent.instances.filter((instance) => instance.host === host).map((instance) => ({ agent, instance })),
  )
}

function Living({ of }: { readonly of: readonly Lodger[] }): ReactNode {
  return (
    <Card title="Processes that live here" flush testId="host-instances" aside={`${of.length}`}>
      {of.length === 0 ? (
        <Empty title="None at this moment">Agents that are started for each task have one only while they work.</Empty>
      ) : (
        <ul className={styles['list']}>
          {of.map(({ agent, instance }) => (
            <li key={instance.instance_id} className={styles['item']}>
              <div className={styles['itemHead']}>
                <span className={styles['itemName']}>
                  <Link href={`/agents/${agent.namespace}/${agent.name}`}>{agent.name}</Link> #{instance.ordinal}
                </span>
                <Status value={instance.health} look="plain" />
                <span className="faint">{instance.busy ? 'works on a task' : 'idle'}</span>
                <span className={styles['spacer']} />
                <span className="faint">
                  heartbeat <Time at={instance.last_heartbeat} />
                </span>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}
