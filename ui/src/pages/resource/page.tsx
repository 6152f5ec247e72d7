import type { ReactNode } from 'react'
import type { ObjectChange, ObjectDetail } from '../../api/reads.ts'
import { useRead, useReadList } from '../../api/use-read.ts'
import { Button } from '../../components/button.tsx'
import { Command } from '../../components/command.tsx'
import { Commit } from '../../components/commit.tsx'
import { Columns } from '../../components/layout.tsx'
import { Link } from '../../components/link.tsx'
import { Card, Facts, PageFrame } from '../../components/page.tsx'
import { Empty, Failure, Loaded, Skeleton } from '../../components/states.tsx'
import { Status, StatusIcon } from '../../components/status.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { JsonBlock } from '../../components/text-block.tsx'
import { Time } from '../../components/time.tsx'
import type { PageProps } from '../../page-props.ts'
import { CommitPatch } from '../commit/commit-patch.tsx'
import { iconOfKind } from '../resources/kind-icons.ts'
import { STANDING } from '../resources/resource-tree.tsx'
import { standingOf } from '../resources/tree.ts'
import { Children } from './children.tsx'
import { FileText } from './file-text.tsx'
import styles from './resource.module.css'
import { SpecPanel } from './spec-panel.tsx'
import { WhyPanel } from './why-panel.tsx'

/** One declared object: how it stands, what is written against what is live, and the commits that made it so. */
export function Page({ params }: PageProps): ReactNode {
  const { kind = '', namespace = '-', name = '' } = params
  const object = useRead('/api/v1/objects/{kind}/{name}', {
    path: { kind, name },
    query: { namespace: namespace === '-' ? null : namespace },
  })
  if (object.data === undefined)
    return (
      <PageFrame title={name} crumbs={<Link href="/resources">Resources</Link>} lead={kind}>
        <Loaded<unknown> of={object} lines={14}>
          {() => null}
        </Loaded>
        {object.error === null ? null : (
          <Card title="History">
            <History kind={kind} namespace={namespace === '-' ? null : namespace} name={name} />
          </Card>
        )}
      </PageFrame>
    )
  return <ResourcePage object={object.data} />
}

function ResourcePage({ object }: { readonly object: ObjectDetail }): ReactNode {
  const standing = STANDING[standingOf(object)]
  const Icon = iconOfKind(object.kind)
  const ready = object.conditions.find(({ type }) => type === 'Ready')
  const namespace = object.namespace === '' ? null : object.namespace
  return (
    <PageFrame
      title={object.name}
      tab={`${object.kind} ${object.name}`}
      crumbs={
        <>
          <Link href="/resources">Resources</Link> / <Link href={`/resources?kind=${object.kind}`}>{object.kind}</Link>
        </>
      }
      lead={
        <span className={styles['lead']}>
          <Icon size={16} aria-hidden /> {object.kind}
          {namespace === null ? '' : ` in ${namespace}`}
          {ready === undefined || ready.message === '' ? '' : `: ${ready.message}`}
        </span>
      }
      aside={
        <>
          {object.deletion_timestamp === null ? null : <Status value="deleting" />}
          <Status value={standing.word} tone={standing.tone} />
        </>
      }
    >
      <Tabs
        label="Of this object"
        tabs={[
          { id: 'state', label: 'State', content: <StatePanel object={object} /> },
          { id: 'spec', label: 'Written & live', content: <SpecPanel object={object} /> },
          { id: 'file', label: 'File', content: <FileText object={object} /> },
          {
            id: 'history',
            label: 'History',
            content: <History kind={object.kind} namespace={namespace} name={object.name} file={object.file} />,
          },
          {
            id: 'why',
            label: 'Why',
            content: <WhyPanel kind={object.kind} namespace={namespace} name={object.name} />,
          },
          {
            id: 'status',
            label: 'Status',
            content: <JsonBlock value={object.status} label="Status" testId="object-status" />,
          },
        ]}
      />
    </PageFrame>
  )
}

function StatePanel({ object }: { readonly object: ObjectDetail }): ReactNode {
  const of = `${object.kind.toLowerCase()}/${object.name}${object.namespace === '' || object.namespace === 'default' ? '' : ` -n ${object.namespace}`}`
  return (
    <>
      <Columns>
        <Card title="Conditions" flush>
          <Conditions object={object} />
        </Card>
        <Card title="About">
          <Facts
            of={[
              [
                'Written in',
                <Link href={`${here(object)}?tab=file`} key="f" data-testid="object-file">
                  <code>
                    {object.file}
                    {object.line === null ? '' : `:${object.line}`}
                  </code>
                </Link>,
              ],
              [
                'Source',
                object.source.startsWith('(') ? (
                  object.source
                ) : (
                  <Link href={`/resources/Source/-/${object.source}`} key="s">
                    {object.source}
                  </Link>
                ),
              ],
              [
                'Commit',
                <Link href={`/commits/${object.revision}`} key="c">
                  <Commit id={object.revision} />
                </Link>,
              ],
              ['Generation', String(object.generation)],
              ['First applied', <Time at={object.created_at} key="a" />],
              [
                'Events',
                <Link href={`/events?type=${object.kind}&resource=${object.uid}`} key="e" data-testid="object-events">
                  of this object
                </Link>,
              ],
              ...Object.entries(object.labels).map(([name, value]) => [name, value] as const),
            ]}
          />
        </Card>
      </Columns>
      <Children object={object} />
      <Card title="In a terminal">
        <div className={styles['commands']}>
          <Command label="Look at it" command={`stateward describe ${of}`} />
          <Command
            label="With kubectl"
            command={`kubectl describe ${object.kind.toLowerCase()} ${object.name}${object.namespace === '' ? '' : ` -n ${object.namespace}`}`}
          />
          <Command label="Reconcile it now" command={`stateward reconcile ${of}`} />
          {'suspend' in (object.effective ?? {}) ? (
            object.effective?.['suspend'] === true ? (
              <Command label="End its pause" command={`stateward resume ${of}`} testId="object-resume" />
            ) : (
              <Command
                label="Pause it at once"
                command={`stateward suspend ${of} --reason "…"`}
                testId="object-suspend"
              />
            )
          ) : null}
          {object.line === null ? null : (
            <Command label="Its history in a clone of the state repo" command={`git log -p -- ${object.file}`} />
          )}
        </div>
      </Card>
    </>
  )
}

function here({ kind, namespace, name }: ObjectDetail): string {
  return `/resources/${kind}/${namespace === '' ? '-' : namespace}/${encodeURIComponent(name)}`
}

/** Types that are well when they are False. */
const NEGATIVE: ReadonlySet<string> = new Set([
  'Reconciling',
  'Stalled',
  'Suspended',
  'Drifted',
  'OverBudget',
  'QuotaExceeded',
  'Conflicted',
])

function Conditions({ object }: { readonly object: ObjectDetail }): ReactNode {
  if (object.conditions.length === 0) return <Empty title="Nothing is known of it yet" />
  return (
    <ul>
      {object.conditions.map(({ type, status, reason, message, last_transition_time: since }) => {
        const isWell = (status === 'True') !== NEGATIVE.has(type)
        const tone =
          status === 'Unknown'
            ? 'warn'
            : isWell
              ? NEGATIVE.has(type)
                ? 'idle'
                : 'good'
              : type === 'Ready' || type === 'Stalled'
                ? 'bad'
                : 'warn'
        return (
          <li key={type} className={styles['condition']} data-testid={`condition-${type}`}>
            <StatusIcon value={`${type} is ${status}`} tone={tone} />
            <div className={styles['conditionText']}>
              <p>
                <strong>{type}</strong> <span className={styles['quiet']}>{status}</span>{' '}
                <span className={styles['reason']}>{reason}</span>
              </p>
              {message === '' ? null : <p className={styles['message']}>{message}</p>}
            </div>
            <span className={styles['quiet']}>
              <Time at={since} />
            </span>
          </li>
        )
      })}
    </ul>
  )
}

function History(props: {
  readonly kind: string
  readonly namespace: string | null
  readonly name: string
  readonly file?: string
}): ReactNode {
  const { kind, namespace, name } = props
  const history = useReadList('/api/v1/objects/{kind}/{name}/history', {
    path: { kind, name },
    query: { namespace, limit: 20 },
  })
  if (history.data === undefined)
    return history.error === null ? (
      <Skeleton lines={8} />
    ) : (
      <Failure error={history.error} onRetry={() => void history.refetch()} />
    )
  if (history.data.length === 0)
    return (
      <Empty title="No commit is known that changed it">
        What is not written in the state repo has no history here.
      </Empty>
    )
  return (
    <div className={styles['history']}>
      <ol className={styles['commits']}>
        {history.data.map((change) => (
          <HistoryItem key={change.sync_id} change={change} file={change.file ?? props.file ?? null} />
        ))}
      </ol>
      {history.hasNextPage ? (
        <Button onClick={() => void history.fetchNextPage()} testId="history-more">
          Older commits
        </Button>
      ) : null}
    </div>
  )
}

const TONES = { create: 'good', update: 'busy', delete: 'bad', blocked: 'warn', skip: 'idle' } as const

function HistoryItem({ change, file }: { readonly change: ObjectChange; readonly file: string | null }): ReactNode {
  const tone = change.action in TONES ? TONES[change.action as keyof typeof TONES] : 'idle'
  return (
    <li className={styles['commit']} data-testid="history-item">
      <div className={styles['commitHead']}>
        <Status value={change.action} tone={tone} />
        <Link href={`/commits/${change.revision}`} className={styles['subject']}>
          {change.commit?.subject ?? change.revision.slice(0, 10)}
        </Link>
        <span className={styles['quiet']}>
          {change.commit === null ? change.actor : change.commit.author.name}, <Time at={change.occurred_at} />
        </span>
        <Commit id={change.revision} />
      </div>
      {change.message === null && change.reason === null ? null : (
        <p className={styles['message']}>
          {[change.reason, change.message].filter((each) => each !== null).join(': ')}
        </p>
      )}
      {change.fields.length === 0 ? null : (
        <ul className={styles['fields']}>
          {change.fields.slice(0, 12).map((field) => (
            <li key={`${field.op} ${field.pointer}`}>
              <code>{field.pointer}</code>
              {field.op === 'add' ? null : <del>{short(field.from)}</del>}
              {field.op === 'remove' ? null : <ins>{short(field.to)}</ins>}
            </li>
          ))}
          {change.fields.length > 12 ? <li className={styles['quiet']}>and {change.fields.length - 12} more</li> : null}
        </ul>
      )}
      <Lines revision={change.revision} file={file} />
    </li>
  )
}

const LONGEST = 120

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '–')
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

/** The lines a commit changed in the file of the object, read when somebody asks for them. */
function Lines({ revision, file }: { readonly revision: string; readonly file: string | null }): ReactNode {
  return (
    <details className={styles['lines']}>
      <summary data-testid="history-lines">Changed lines</summary>
      <LinesOf revision={revision} file={file} />
    </details>
  )
}

function LinesOf({ revision, file }: { readonly revision: string; readonly file: string | null }): ReactNode {
  const commit = useRead(
    '/api/v1/commits/{revision}',
    { path: { revision } },
    { enabled: /^[0-9a-f]{7,64}$/.test(revision) },
  )
  if (!/^[0-9a-f]{7,64}$/.test(revision)) return <p className={styles['message']}>A plain folder has no commits.</p>
  return (
    <Loaded of={commit} lines={5}>
      {(found) => <CommitPatch commit={found} file={file} />}
    </Loaded>
  )
}
