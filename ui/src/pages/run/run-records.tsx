import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { open } from '../../api/get.ts'
import type { Artifact, Cost, Event, ModelCall, TaskRecord } from '../../api/reads.ts'
import { useRead, useReadList } from '../../api/use-read.ts'
import { Commit } from '../../components/commit.tsx'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { Patch } from '../../components/diff.tsx'
import { Card } from '../../components/page.tsx'
import { Empty, Failure, Loaded, Skeleton } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { JsonBlock, TextBlock } from '../../components/text-block.tsx'
import { Duration, Time } from '../../components/time.tsx'
import { bytes, money, whole } from '../../text/numbers.ts'
import { summaryOf } from '../events/event-words.ts'
import styles from './run.module.css'
import { stepHref } from './step-standing.ts'

const MOST_SHOWN = 256 * 1024

const ARTIFACT_COLUMNS: readonly Column<Artifact>[] = [
  { id: 'name', header: 'Name', width: 'minmax(10rem, 2fr)', cell: ({ name }) => name },
  { id: 'kind', header: 'Kind', width: '6rem', cell: ({ kind }) => <span className={styles['quiet']}>{kind}</span> },
  {
    id: 'type',
    header: 'Type',
    width: 'minmax(8rem, 1fr)',
    cell: ({ content_type }) => <span className={styles['quiet']}>{content_type}</span>,
    from: 640,
  },
  {
    id: 'size',
    header: 'Size',
    width: '6rem',
    align: 'end',
    cell: ({ byte_length }) => (byte_length === null ? 'not there yet' : bytes(byte_length)),
  },
  {
    id: 'created',
    header: 'Made',
    width: '6rem',
    align: 'end',
    cell: ({ created_at }) => <Time at={created_at} />,
    from: 520,
  },
  {
    id: 'download',
    header: '',
    width: '6rem',
    align: 'end',
    cell: ({ artifact_id, name, sha256 }) =>
      sha256 === null ? null : (
        <a href={`/api/v1/artifacts/${artifact_id}/download`} download={name} data-testid={`download-${artifact_id}`}>
          Download
        </a>
      ),
  },
]

/** What a run, or one step of it, left behind. */
export function ArtifactsPanel(props: { readonly runId: string; readonly stepId?: string }): ReactNode {
  const { runId, stepId } = props
  const artifacts = useReadList('/api/v1/artifacts', { query: { run_id: runId, step_id: stepId, limit: 200 } })
  if (artifacts.error !== null && artifacts.data === undefined)
    return <Failure error={artifacts.error} onRetry={() => void artifacts.refetch()} />
  return (
    <DataTable
      label="Artifacts"
      columns={ARTIFACT_COLUMNS}
      rows={artifacts.data ?? []}
      rowKey={({ artifact_id }) => artifact_id}
      href={({ artifact_id }) => `/artifacts/${artifact_id}`}
      onEnd={artifacts.hasNextPage ? () => void artifacts.fetchNextPage() : undefined}
      isLoading={artifacts.data === undefined}
      empty={<Empty title="No artifacts">Steps store them with the tool artifacts.put, agents over the API.</Empty>}
      testId="artifacts"
    />
  )
}

const COST_COLUMNS: readonly Column<Cost>[] = [
  {
    id: 'what',
    header: 'What',
    width: 'minmax(9rem, 2fr)',
    cell: ({ model, tool, agent, note }) => model ?? tool ?? agent ?? note ?? '–',
  },
  { id: 'step', header: 'Step', width: 'minmax(6rem, 1fr)', cell: ({ step }) => step ?? '–' },
  {
    id: 'usage',
    header: 'Who says so',
    width: '7rem',
    cell: ({ usage }) => <span className={styles['quiet']}>{usage}</span>,
    from: 700,
  },
  { id: 'tokens', header: 'Tokens', width: '6rem', align: 'end', cell: ({ tokens }) => whole(tokens), from: 480 },
  { id: 'amount', header: 'Amount', width: '6rem', align: 'end', cell: ({ amount_usd }) => money(amount_usd) },
  {
    id: 'at',
    header: 'When',
    width: '6rem',
    align: 'end',
    cell: ({ occurred_at }) => <Time at={occurred_at} />,
    from: 560,
  },
]

/** What a run, or one step of it, cost. */
export function CostsPanel(props: { readonly runId: string; readonly step?: string }): ReactNode {
  const costs = useRead('/api/v1/costs', { query: { run: props.runId, limit: 1000 } })
  return (
    <Loaded of={costs} lines={5}>
      {({ items }) => {
        const own = items.filter(({ step }) => props.step === undefined || step === props.step)
        if (own.length === 0)
          return <Empty title="Nothing was spent">Models and tools that cost something show here.</Empty>
        const sum = own.reduce((total, { amount_usd }) => total + Number(amount_usd), 0)
        const tokens = own.reduce((total, each) => total + each.tokens, 0)
        return (
          <div className={styles['stack']}>
            <dl className={styles['total']}>
              <div>
                <dt>Spent</dt>
                <dd>{money(sum)}</dd>
              </div>
              <div>
                <dt>Tokens</dt>
                <dd>{whole(tokens)}</dd>
              </div>
            </dl>
            <DataTable
              label="Costs"
              columns={COST_COLUMNS}
              rows={own}
              rowKey={({ id }) => id}
              empty={null}
              testId="costs"
            />
          </div>
        )
      }}
    </Loaded>
  )
}

/** What agents were asked and answered, and each call of a model with its prompt and answer. */
export function PromptsPanel(props: { readonly runId: string; readonly step?: string }): ReactNode {
  const { runId, step } = props
  const tasks = useRead('/api/v1/tasks', { query: { run_id: runId, limit: 500 } })
  const calls = useRead('/api/v1/model-calls', { query: { run_id: runId, limit: 500 } })
  return (
    <Loaded of={tasks} lines={8}>
      {({ items }) => {
        const ownTasks = items.filter(({ path }) => step === undefined || path === step)
        const ownCalls = (calls.data?.items ?? []).filter((call) => step === undefined || call.step === step)
        if (ownTasks.length === 0 && ownCalls.length === 0) return <Empty title="No agent or model was asked" />
        return (
          <div className={styles['stack']}>
            {ownTasks.map((task) => (
              <TaskCard key={task.task_id} task={task} runId={runId} />
            ))}
            {ownCalls.length === 0 ? null : (
              <Card title={`Calls of models (${whole(ownCalls.length)})`} flush>
                {ownCalls.map((call) => (
                  <ModelCallRow key={call.call_id} call={call} />
                ))}
              </Card>
            )}
          </div>
        )
      }}
    </Loaded>
  )
}

function TaskCard({ task, runId }: { readonly task: TaskRecord; readonly runId: string }): ReactNode {
  return (
    <Card
      title={`Task of ${task.agent}`}
      aside={
        <>
          {task.path === null ? null : <Link href={stepHref(runId, task.path)}>{task.path}</Link>}
          <Status value={task.status} look="plain" />
          <Duration from={task.leased_at ?? task.created_at} to={task.completed_at} />
        </>
      }
    >
      <div className={styles['stack']}>
        <div>
          <p className={styles['sub']}>Prompt</p>
          <TextBlock text={task.prompt} label="Prompt" testId="prompt" />
        </div>
        {Object.keys(task.inputs).length === 0 ? null : (
          <details className={styles['details']}>
            <summary data-testid={`task-inputs-${task.task_id}`}>Inputs</summary>
            <JsonBlock value={task.inputs} label="Inputs of the task" />
          </details>
        )}
        <div>
          <p className={styles['sub']}>{task.error === null ? 'Answer' : 'Failure'}</p>
          {task.error !== null ? (
            <TextBlock text={`${task.error.code}: ${task.error.message}`} label="Failure" />
          ) : task.output === null || task.output === undefined ? (
            <p className={styles['none']}>None yet.</p>
          ) : typeof task.output === 'string' ? (
            <TextBlock text={task.output} label="Answer" testId="answer" />
          ) : (
            <JsonBlock value={task.output} label="Answer" testId="answer" />
          )}
        </div>
      </div>
    </Card>
  )
}

function ModelCallRow({ call }: { readonly call: ModelCall }): ReactNode {
  return (
    <article className={styles['call']} data-testid={`model-call-${call.call_id}`}>
      <header className={styles['callHead']}>
        <Status value={call.state} look="plain" />
        <strong>
          {call.provider}/{call.model_answered ?? call.model_asked}
        </strong>
        {call.step === null ? null : <span className={styles['quiet']}>{call.step}</span>}
        {call.turn === null ? null : <span className={styles['quiet']}>turn {call.turn}</span>}
        <span className={styles['quiet']}>
          {call.input_tokens === null ? '–' : whole(call.input_tokens)} in,{' '}
          {call.output_tokens === null ? '–' : whole(call.output_tokens)} out
        </span>
        <span>{money(call.cost_usd)}</span>
        <span className={styles['quiet']}>
          <Duration from={call.started_at} to={call.ended_at} />
        </span>
      </header>
      {call.problem === null ? null : <TextBlock text={call.problem} label="Problem" />}
      <div className={styles['pair']}>
        <StoredText id={call.prompt_artifact} label="Prompt" />
        <StoredText id={call.answer_artifact} label="Answer" />
      </div>
    </article>
  )
}

function StoredText({ id, label }: { readonly id: string | null; readonly label: string }): ReactNode {
  if (id === null) return null
  return (
    <details className={styles['details']}>
      <summary data-testid={`${label.toLowerCase()}-${id}`}>{label}</summary>
      <ArtifactText id={id} label={label} />
    </details>
  )
}

/** The beginning of an artifact as text, whatever it says it is. */
export function ArtifactText({ id, label }: { readonly id: string; readonly label: string }): ReactNode {
  const text = useQuery({
    queryKey: ['text of artifact', id],
    queryFn: async ({ signal }) => firstText(await open(`/api/v1/artifacts/${id}/download`, '*/*', signal)),
    staleTime: Number.POSITIVE_INFINITY,
  })
  if (text.error !== null) return <Failure error={text.error} onRetry={() => void text.refetch()} />
  if (text.data === undefined) return <Skeleton lines={6} />
  return (
    <>
      <TextBlock text={pretty(text.data.text)} label={label} testId="artifact-text" />
      {text.data.isWhole ? null : <p className={styles['none']}>Only the first {bytes(MOST_SHOWN)} are shown.</p>}
    </>
  )
}

async function firstText(response: Response): Promise<{ text: string; isWhole: boolean }> {
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    text += decoder.decode(piece.value, { stream: true })
    length += piece.value.length
    if (length > MOST_SHOWN) {
      await reader.cancel()
      return { text: text.slice(0, MOST_SHOWN), isWhole: false }
    }
  }
  return { text: text + decoder.decode(), isWhole: true }
}

function pretty(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

/** What policies said about what a run, or one step of it, wanted to do. */
export function DecisionsPanel(props: { readonly runId: string; readonly stepId?: string }): ReactNode {
  const decisions = useRead('/api/v1/policies/decisions', { query: { run_id: props.runId, limit: 500 } })
  return (
    <Loaded of={decisions} lines={6}>
      {({ items }) => {
        const own = items.filter(({ step_id }) => props.stepId === undefined || step_id === props.stepId)
        if (own.length === 0)
          return (
            <Empty title="No policy was asked">
              Policies that match what a run does decide about it, and are listed here.
            </Empty>
          )
        return (
          <Card title={`Decisions (${whole(own.length)})`} flush>
            {own.map((each) => (
              <article key={each.decision_id} className={styles['decision']}>
                <div className={styles['decisionHead']}>
                  <Status value={each.effect} />
                  <strong>{each.action}</strong>
                  <span className={styles['quiet']}>
                    {each.resource_type} {each.resource_name}
                  </span>
                  <span className={styles['quiet']}>
                    <Time at={each.decided_at} />
                  </span>
                </div>
                <p>{each.reason}</p>
                <p className={styles['none']}>
                  {each.policy === null
                    ? 'no policy decided'
                    : `policy ${each.policy}, version ${each.policy_version ?? '–'}`}
                  {each.rule === null ? '' : `, rule ${each.rule}`}; risk {each.risk}; for {each.subject}
                </p>
              </article>
            ))}
          </Card>
        )
      }}
    </Loaded>
  )
}

/** Commits that came out of a run: what it proposed to the state repo, and what it committed elsewhere, as patches. */
export function CommitsPanel({ runId }: { readonly runId: string }): ReactNode {
  const proposals = useRead('/api/v1/proposals', { query: { run: runId, limit: 100 } })
  const patches = useRead('/api/v1/artifacts', { query: { run_id: runId, kind: 'patch', limit: 100 } })
  return (
    <Loaded of={proposals} lines={8}>
      {({ items }) => {
        const stored = patches.data?.items ?? []
        if (items.length === 0 && stored.length === 0)
          return (
            <Empty title="The run committed nothing">
              What it proposes to the state repo, or commits with git.commit, is shown as a patch.
            </Empty>
          )
        return (
          <div className={styles['stack']}>
            {items.map((proposal) => (
              <Card
                key={proposal.id}
                title={proposal.title}
                aside={
                  <>
                    <Status value={proposal.state} look="plain" />
                    <Commit id={proposal.head} />
                    <Link href={`/proposals/${encodeURIComponent(proposal.id)}`}>Proposal</Link>
                  </>
                }
              >
                <ProposalPatch id={proposal.id} />
              </Card>
            ))}
            {stored.map((artifact) => (
              <Card
                key={artifact.artifact_id}
                title={artifact.name}
                aside={<Link href={`/artifacts/${artifact.artifact_id}`}>Artifact</Link>}
              >
                <StoredPatch id={artifact.artifact_id} label={artifact.name} />
              </Card>
            ))}
          </div>
        )
      }}
    </Loaded>
  )
}

function ProposalPatch({ id }: { readonly id: string }): ReactNode {
  const diff = useRead('/api/v1/proposals/{proposal}/diff', { path: { proposal: id } })
  return (
    <Loaded of={diff} lines={6}>
      {({ diff: text, truncated }) => (
        <>
          <Patch text={text} label={`Patch of ${id}`} />
          {truncated ? <p className={styles['none']}>It is longer than what is shown.</p> : null}
        </>
      )}
    </Loaded>
  )
}

function StoredPatch({ id, label }: { readonly id: string; readonly label: string }): ReactNode {
  const text = useQuery({
    queryKey: ['text of artifact', id],
    queryFn: async ({ signal }) => firstText(await open(`/api/v1/artifacts/${id}/download`, '*/*', signal)),
    staleTime: Number.POSITIVE_INFINITY,
  })
  return <Loaded of={text}>{({ text: patch }) => <Patch text={patch} label={label} />}</Loaded>
}

const EVENT_COLUMNS: readonly Column<Event>[] = [
  {
    id: 'name',
    header: 'Event',
    width: 'minmax(12rem, 1.5fr)',
    cell: ({ event_name }) => event_name.replace(/^stateward\./, ''),
  },
  {
    id: 'what',
    header: 'What',
    width: 'minmax(8rem, 2fr)',
    cell: (event) => <span className={styles['quiet']}>{summaryOf(event)}</span>,
    from: 560,
  },
  {
    id: 'actor',
    header: 'By',
    width: 'minmax(6rem, 1fr)',
    cell: ({ actor }) => <span className={styles['quiet']}>{actor}</span>,
    from: 800,
  },
  { id: 'at', header: 'When', width: '6rem', align: 'end', cell: ({ occurred_at }) => <Time at={occurred_at} /> },
]

/** The history of a run, or of one step of it, as it was recorded. */
export function EventsPanel(props: { readonly runId: string; readonly stepId?: string }): ReactNode {
  const { runId, stepId } = props
  const events = useReadList(
    '/api/v1/events',
    {
      query: { run_id: runId, step_id: stepId, order: 'asc', limit: 500 },
    },
    { everyMs: 5_000 },
  )
  if (events.error !== null && events.data === undefined)
    return <Failure error={events.error} onRetry={() => void events.refetch()} />
  return (
    <DataTable
      label="Events"
      columns={EVENT_COLUMNS}
      rows={events.data ?? []}
      rowKey={({ event_id }) => event_id}
      href={({ event_id }) => `/events/${event_id}`}
      onEnd={events.hasNextPage ? () => void events.fetchNextPage() : undefined}
      isLoading={events.data === undefined}
      rowHeight={34}
      empty={
        <Empty title="No events are held any more">Events are kept for a time; the run itself stays longer.</Empty>
      }
      testId="run-events"
    />
  )
}
