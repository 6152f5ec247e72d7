import { GitCommitHorizontal } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Answer } from '../../api/get.ts'
import { useRead } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { Commit } from '../../components/commit.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import type { Tone } from '../../components/status-tone.ts'
import { Time } from '../../components/time.tsx'
import styles from './sync-state.module.css'

type Source = Answer<'/api/v1/overview'>['sources'][number]
type Revision = NonNullable<Source['desired']>

const STATES: Readonly<Record<Source['state'], { readonly word: string; readonly tone: Tone }>> = {
  synced: { word: 'In sync', tone: 'good' },
  partial: { word: 'In sync, in part', tone: 'warn' },
  behind: { word: 'Out of sync', tone: 'bad' },
  failed: { word: 'Not applied', tone: 'bad' },
  unknown: { word: 'Not read yet', tone: 'wait' },
}

/** The commit that is wanted against the one that is applied. */
export function SyncState(): ReactNode {
  const overview = useRead('/api/v1/overview')
  return (
    <Loaded of={overview} lines={4}>
      {({ sources }) =>
        sources.length === 0 ? (
          <Empty title="No source is read yet">The first one is read when Stateward has started.</Empty>
        ) : (
          <ul className={styles['sources']}>
            {sources.map((source) => (
              <SourceLine key={source.name} source={source} />
            ))}
          </ul>
        )
      }
    </Loaded>
  )
}

function SourceLine({ source }: { readonly source: Source }): ReactNode {
  const { word, tone } = STATES[source.state]
  const same = source.desired !== null && source.desired.revision === source.applied?.revision
  return (
    <li className={styles['source']} data-testid={`source-${source.name}`}>
      <p className={styles['line']}>
        <Status value={word} tone={tone} />
        <span className={styles['message']}>
          {source.name}
          {source.ref === null ? '' : ` at ${source.ref}`}: {source.message}
          {source.issues === 0 ? '' : `, ${source.issues} ${source.issues === 1 ? 'problem' : 'problems'}`}
          {source.mode === 'observe' ? ', observed only' : ''}
        </span>
      </p>
      <div className={styles['revisions']}>
        {same ? (
          <RevisionCard label="Desired and applied" revision={source.desired} at={source.synced_at} />
        ) : (
          <>
            <RevisionCard label="Desired" revision={source.desired} at={null} />
            <RevisionCard label="Applied" revision={source.applied} at={source.synced_at} />
          </>
        )}
      </div>
      {source.state === 'synced' ? null : <Command command={`stateward why source/${source.name}`} label="Why" />}
    </li>
  )
}

function RevisionCard(props: {
  readonly label: string
  readonly revision: Revision | null
  readonly at: string | null
}): ReactNode {
  const { label, revision, at } = props
  if (revision === null)
    return (
      <div className={styles['revision']}>
        <span className={styles['label']}>{label}</span>
        <span className={styles['subject']}>nothing yet</span>
      </div>
    )
  const { commit } = revision
  return (
    <div className={styles['revision']}>
      <span className={styles['label']}>
        <GitCommitHorizontal size={14} aria-hidden /> {label}
      </span>
      <span className={styles['subject']} title={commit?.subject}>
        {commit?.subject ?? 'no commit: a plain folder'}
      </span>
      <span className={styles['facts']}>
        <Commit id={revision.revision} />
        {commit === null ? null : (
          <>
            <span>{commit.author.name}</span>
            <Time at={commit.author.time} />
            {commit.signed_by === null ? null : <span>signed by {commit.signed_by}</span>}
          </>
        )}
        {at === null ? null : (
          <span>
            applied <Time at={at} />
          </span>
        )}
      </span>
    </div>
  )
}
