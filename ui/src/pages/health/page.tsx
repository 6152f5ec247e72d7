import { CircleCheck, CircleX, LoaderCircle } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Breaker, Probe, RecoveryStats } from '../../api/reads.ts'
import { useAddress, useRead } from '../../api/use-read.ts'
import { CommandSet } from '../../components/command-set.tsx'
import { Commit } from '../../components/commit.tsx'
import { Link } from '../../components/link.tsx'
import { Card, Facts, PageFrame } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { Together } from '../../components/together.tsx'
import { useLiveStatus } from '../../live/live-context.tsx'
import { classNames } from '../../text/class-names.ts'
import { whole } from '../../text/numbers.ts'
import { duration } from '../../text/time.ts'
import styles from './health.module.css'
import { useProbe } from './probe.ts'
import type { ListOf, SourceObject, WorkerObject } from './served-objects.ts'

const useWorkers = () =>
  useAddress<ListOf<WorkerObject>>('/kube/apis/stateward.dev/v1alpha1/workers', { everyMs: 10_000 })

const useSources = () => useAddress<ListOf<SourceObject>>('/kube/apis/stateward.dev/v1alpha1/sources')

const useBreakers = () => useRead('/api/v1/breakers', { query: { limit: 100 } })

const useProcess = () => useRead('/api/v1/health', {}, { everyMs: 15_000 })

const useRecovery = () => useRead('/api/v1/recovery/stats', {}, { everyMs: 30_000 })

/** Whether Stateward itself is well: its checks, its processes, what it reads from, and what it had to repair. */
export function Page(): ReactNode {
  const probe = useProbe('/readyz')
  const fleet = useRead('/api/v1/fleet')
  const workers = useWorkers()
  const sources = useSources()
  const breakers = useBreakers()
  const health = useProcess()
  const stats = useRecovery()
  return (
    <PageFrame title="Health" lead="Of Stateward itself. Probes ask /livez and /readyz, scrapers /metrics.">
      <Verdict
        probe={probe.data}
        error={probe.error}
        frozenBy={fleet.data?.frozen === true ? (fleet.data.by ?? 'somebody') : null}
      />
      <Together of={[probe, workers, sources, breakers, health, stats]}>
        <div className={styles['columns']}>
          <Card title="Checks" flush testId="health-checks">
            <Loaded of={probe} lines={4}>
              {({ checks }) => <Checks checks={checks} />}
            </Loaded>
          </Card>
          <Workers />
          <Sources />
          <Breakers />
        </div>
        <Process />
        <Recovery />
        <CommandSet
          title="Look closer, in a terminal"
          testId="health-commands"
          commands={[
            { label: 'Check everything a server needs, with remedies', command: 'stateward doctor' },
            { label: 'See the processes with kubectl', command: 'kubectl get workers' },
            { label: 'Halt the whole fleet', command: 'stateward freeze --reason "why"' },
            { label: 'Let it go on', command: 'stateward unfreeze --reason "why"' },
          ]}
        />
      </Together>
    </PageFrame>
  )
}

function Verdict(props: {
  readonly probe: Probe | undefined
  readonly error: Error | null
  readonly frozenBy: string | null
}): ReactNode {
  const { probe, error, frozenBy } = props
  const failing = (probe?.checks ?? []).filter(({ problem }) => problem !== null)
  const says =
    error !== null
      ? {
          word: 'Stateward does not answer',
          tone: 'bad',
          Icon: CircleX,
          more: 'It is asked again every few seconds. In a terminal: stateward doctor',
        }
      : probe === undefined
        ? { word: 'Asking', tone: 'idle', Icon: LoaderCircle, more: '' }
        : failing.length > 0
          ? {
              word: 'Not ready',
              tone: 'bad',
              Icon: CircleX,
              more: failing.map(({ name, problem }) => `${name}: ${problem}`).join('; '),
            }
          : frozenBy !== null
            ? {
                word: 'Well, and frozen',
                tone: 'warn',
                Icon: CircleX,
                more: `Nothing new starts: ${frozenBy} halted the fleet`,
              }
            : {
                word: 'Everything is well',
                tone: 'good',
                Icon: CircleCheck,
                more: `${probe.checks.length} checks hold`,
              }
  const { Icon } = says
  return (
    <div className={classNames(styles['verdict'], styles[says.tone])} role="status" data-testid="health-verdict">
      <Icon size={28} aria-hidden />
      <div>
        <p className={styles['word']}>{says.word}</p>
        <p className={styles['more']}>{says.more === '' ? ' ' : says.more}</p>
      </div>
    </div>
  )
}

function Checks({ checks }: { readonly checks: Probe['checks'] }): ReactNode {
  return (
    <ul className={styles['list']}>
      {checks.map(({ name, problem }) => (
        <li key={name} className={styles['item']}>
          <span>{name.replaceAll('_', ' ')}</span>
          <span className={styles['end']}>
            {problem === null ? null : <span className="faint">{problem}</span>}
            <Status
              value={problem === null ? 'holds' : 'fails'}
              tone={problem === null ? 'good' : 'bad'}
              look="plain"
            />
          </span>
        </li>
      ))}
    </ul>
  )
}

function Process(): ReactNode {
  const health = useProcess()
  const tls = useRead('/api/v1/tls')
  const live = useLiveStatus()
  return (
    <Card title="The process that answers" testId="health-process">
      <Loaded of={health} lines={3}>
        {(is) => (
          <Facts
            of={[
              ['Version', is.version],
              ['Up for', duration(is.uptime_seconds * 1_000)],
              ['Its clock', <Time key="now" at={is.now} absolute />],
              [
                'Events to this page',
                <Status key="live" value={live.state} tone={live.state === 'live' ? 'good' : 'warn'} look="plain" />,
              ],
              ['Over TLS', tls.data?.url ?? (tls.error === null ? '–' : 'not served')],
            ]}
          />
        )}
      </Loaded>
    </Card>
  )
}

function Sources(): ReactNode {
  const sources = useSources()
  return (
    <Card title="Sources of desired state" flush testId="health-sources">
      <Loaded of={sources} lines={3}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No source is read">Start with one: stateward up --repo path-or-url</Empty>
          ) : (
            <ul className={styles['list']}>
              {items.map(({ metadata, spec, status }) => {
                const ready = status?.conditions?.find(({ type }) => type === 'Ready')
                return (
                  <li key={metadata.name} className={styles['item']}>
                    <span>
                      <Link href={`/resources/Source/-/${metadata.name}`}>{metadata.name}</Link>
                      <span className="faint">
                        {' '}
                        {[spec.url, spec.ref].filter((part) => part !== undefined).join(' · ')}
                      </span>
                    </span>
                    <span className={styles['end']} title={ready?.message}>
                      <Commit id={status?.lastAppliedRevision} />
                      <Status
                        value={ready?.status === 'True' ? 'ready' : (ready?.reason ?? 'unknown')}
                        tone={ready?.status === 'True' ? 'good' : 'warn'}
                        look="plain"
                      />
                    </span>
                  </li>
                )
              })}
            </ul>
          )
        }
      </Loaded>
    </Card>
  )
}

function Workers(): ReactNode {
  const workers = useWorkers()
  return (
    <Card title="Processes on this database" flush testId="health-workers">
      <Loaded of={workers} lines={3}>
        {({ items }) => (
          <ul className={styles['list']}>
            {items.map(({ metadata, spec, status }) => (
              <li key={metadata.uid} className={styles['item']}>
                <span>
                  {spec.host}{' '}
                  <span className="faint">
                    pid {spec.pid}, {spec.roles.join(', ')}
                  </span>
                </span>
                <span className={styles['end']}>
                  {(status.leads ?? '').includes('controller') ? (
                    <Status value="leads" tone="busy" look="plain" />
                  ) : null}
                  <span className="faint">{status.runs ?? 0} runs</span>
                  <Status
                    value={status.phase}
                    tone={status.phase === 'Live' ? 'good' : 'bad'}
                    look="plain"
                    title={`its lease holds for ${status.leaseSeconds} s`}
                  />
                </span>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Card>
  )
}

const WORDS: readonly (readonly [member: keyof RecoveryStats, term: string])[] = [
  ['retried', 'Steps tried again'],
  ['resumed', 'Taken up after a crash'],
  ['quarantined', 'Held: outcome unknown'],
  ['compensated', 'Runs rolled back'],
  ['dead', 'Dead letters'],
  ['requeued', 'Requeued since'],
]

function Recovery(): ReactNode {
  const stats = useRecovery()
  return (
    <Card title="What had to be repaired" testId="health-recovery">
      <Loaded of={stats} lines={3}>
        {(is) => (
          <Facts
            of={[
              ...WORDS.map(
                ([member, term]) =>
                  [
                    term,
                    <span key={member} className="numeric">
                      {whole(Number(is[member] ?? 0))}
                    </span>,
                  ] as const,
              ),
              ['Mean time to repair', is.mttr_ms === null ? '–' : duration(is.mttr_ms)],
              ['Counted since', <Time key="since" at={is.since} />],
            ]}
          />
        )}
      </Loaded>
    </Card>
  )
}

function Breakers(): ReactNode {
  const breakers = useBreakers()
  return (
    <Card title="Breakers that are not closed" flush testId="health-breakers">
      <Loaded of={breakers} lines={2}>
        {({ items }) => {
          const open = items.filter(({ state }) => state !== 'closed')
          return open.length === 0 ? (
            <Empty title="All are closed" icon={CircleCheck}>
              A tool or an agent that keeps failing is taken out until one try succeeds.
            </Empty>
          ) : (
            <ul className={styles['list']}>
              {open.map((breaker: Breaker) => (
                <li key={`${breaker.target.namespace}/${breaker.id}`} className={styles['item']}>
                  <span>
                    {breaker.id} <span className="faint">{breaker.reason}</span>
                  </span>
                  <span className={styles['end']}>
                    <Status value={breaker.state} tone="bad" look="plain" />
                    <span className="faint">
                      <Time at={breaker.opened_at} />
                    </span>
                  </span>
                </li>
              ))}
            </ul>
          )
        }}
      </Loaded>
    </Card>
  )
}
