import type { ReactNode } from 'react'
import type { ModelCall, TaskRecord } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { Stack } from '../../components/layout.tsx'
import { Link } from '../../components/link.tsx'
import { Card } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { JsonBlock, TextBlock } from '../../components/text-block.tsx'
import { Duration } from '../../components/time.tsx'
import { money, whole } from '../../text/numbers.ts'
import { ArtifactText } from './artifact-text.tsx'
import styles from './run.module.css'
import { stepHref } from './step-standing.ts'

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
          <Stack>
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
          </Stack>
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
      <Stack>
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
      </Stack>
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
        {call.step === null ? null : <span className="quiet">{call.step}</span>}
        {call.turn === null ? null : <span className="quiet">turn {call.turn}</span>}
        <span className="quiet">
          {call.input_tokens === null ? '–' : whole(call.input_tokens)} in,{' '}
          {call.output_tokens === null ? '–' : whole(call.output_tokens)} out
        </span>
        <span>{money(call.cost_usd)}</span>
        <span className="quiet">
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
