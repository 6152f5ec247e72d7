import type { ReactNode } from 'react'
import type { ListedObject, ObjectDetail, Run } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { Link } from '../../components/link.tsx'
import { Card } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status, StatusIcon } from '../../components/status.tsx'
import { Duration, Time } from '../../components/time.tsx'
import { whole } from '../../text/numbers.ts'
import { iconOfKind } from '../resources/kind-icons.ts'
import { resourceHref } from '../resources/resource-href.ts'
import { STANDING } from '../resources/resource-tree.tsx'
import { standingOf } from '../resources/tree.ts'
import { standingOf as standingOfRun, toneOfRun } from '../runs/run-standing.ts'
import styles from './resource.module.css'

/** What hangs below an object: instances of an agent, runs of a blueprint, what a source declares. */
export function Children({ object }: { readonly object: ObjectDetail }): ReactNode {
  switch (object.kind) {
    case 'Agent':
      return <Instances namespace={object.namespace} name={object.name} />
    case 'Blueprint':
      return <Runs namespace={object.namespace} name={object.name} />
    case 'Source':
      return <Declared source={object.name} />
    default:
      return null
  }
}

function Instances({ namespace, name }: { readonly namespace: string; readonly name: string }): ReactNode {
  const health = useRead(
    '/api/v1/agents/{agent}/health',
    { path: { agent: name }, query: { namespace } },
    { everyMs: 10_000 },
  )
  return (
    <Card
      title="Instances"
      aside={
        <Link href={`/agents/${namespace}/${name}`} data-testid="object-agent">
          Agent
        </Link>
      }
      flush
    >
      <Loaded of={health} lines={3}>
        {({ instances }) =>
          instances.length === 0 ? (
            <p className={styles['none']}>
              None runs now. An agent with one command a task has an instance while it works.
            </p>
          ) : (
            <ul>
              {instances.map((instance) => (
                <li key={instance.instance_id} className={styles['child']}>
                  <Status value={instance.health} look="plain" />
                  <strong>
                    {name}-{instance.ordinal}
                  </strong>
                  <span className={styles['quiet']}>on {instance.host}</span>
                  <span className={styles['quiet']}>{instance.busy ? 'busy' : 'idle'}</span>
                  <span className={styles['quiet']}>{whole(instance.restarts)} restarts</span>
                  <span className={styles['quiet']}>
                    started <Time at={instance.started_at} />
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  )
}

const RUN_COLUMNS: readonly Column<Run>[] = [
  {
    id: 'name',
    header: 'Run',
    width: 'minmax(10rem, 2fr)',
    cell: (run) => (
      <span className={styles['named']}>
        <StatusIcon value={standingOfRun(run)} tone={toneOfRun(run)} />
        {run.name}
      </span>
    ),
  },
  { id: 'trigger', header: 'Started by', width: 'minmax(7rem, 1fr)', cell: ({ trigger }) => trigger, from: 560 },
  { id: 'created', header: 'Created', width: '6rem', align: 'end', cell: ({ created_at }) => <Time at={created_at} /> },
  {
    id: 'took',
    header: 'Took',
    width: '6rem',
    align: 'end',
    cell: ({ started_at, completed_at }) => <Duration from={started_at} to={completed_at} />,
    from: 480,
  },
]

function Runs({ namespace, name }: { readonly namespace: string; readonly name: string }): ReactNode {
  const runs = useRead('/api/v1/runs', { query: { namespace, blueprint_ref: name, limit: 8, values: false } })
  return (
    <Card
      title="Last runs"
      aside={
        <>
          <Link href={`/runs?blueprint=${encodeURIComponent(name)}`}>All of them</Link>
          <Link href={`/runs/new?blueprint=${encodeURIComponent(`${namespace}/${name}`)}`} data-testid="object-start">
            Start one
          </Link>
        </>
      }
      flush
    >
      <Loaded of={runs} lines={5}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="It has not run yet" />
          ) : (
            <div className={styles['edgeless']}>
              <DataTable
                label="Last runs"
                columns={RUN_COLUMNS}
                rows={items}
                rowKey={({ run_id }) => run_id}
                href={({ run_id }) => `/runs/${run_id}`}
                empty={null}
                testId="object-runs"
              />
            </div>
          )
        }
      </Loaded>
    </Card>
  )
}

const OBJECT_COLUMNS: readonly Column<ListedObject>[] = [
  {
    id: 'name',
    header: 'Object',
    width: 'minmax(10rem, 2fr)',
    cell: (object) => {
      const Icon = iconOfKind(object.kind)
      return (
        <span className={styles['named']}>
          <Icon size={15} aria-hidden />
          {object.name}
        </span>
      )
    },
  },
  { id: 'kind', header: 'Kind', width: '8rem', cell: ({ kind }) => kind },
  {
    id: 'standing',
    header: 'Stands',
    width: '8rem',
    cell: (object) => {
      const { word, tone } = STANDING[standingOf(object)]
      return <Status value={word} tone={tone} look="plain" />
    },
    from: 480,
  },
  { id: 'file', header: 'File', width: 'minmax(8rem, 2fr)', cell: ({ file }) => <code>{file}</code>, from: 700 },
]

function Declared({ source }: { readonly source: string }): ReactNode {
  const objects = useRead('/api/v1/objects', { query: { source, limit: 1000 } })
  return (
    <Card title="What it declares" flush>
      <Loaded of={objects} lines={8}>
        {({ items }) => (
          <div className={styles['edgeless']}>
            <DataTable
              label="What it declares"
              columns={OBJECT_COLUMNS}
              rows={items}
              rowKey={({ uid }) => uid}
              href={resourceHref}
              isLoud={({ ready }) => ready === 'False'}
              empty={<Empty title="Nothing yet" />}
              testId="source-objects"
            />
          </div>
        )}
      </Loaded>
    </Card>
  )
}
