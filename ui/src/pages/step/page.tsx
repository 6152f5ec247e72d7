import { CircleX } from 'lucide-react'
import type { ReactNode } from 'react'
import { ReadError } from '../../api/get.ts'
import type { Gate, Run, RunGraphNode, Step } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { Link } from '../../components/link.tsx'
import { Card, Facts, PageFrame } from '../../components/page.tsx'
import { Empty, Loaded, Skeleton } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { JsonBlock, TextBlock } from '../../components/text-block.tsx'
import { Duration, Time } from '../../components/time.tsx'
import type { PageProps } from '../../page-props.ts'
import { ArtifactsPanel } from '../run/artifacts-panel.tsx'
import { CostsPanel } from '../run/costs-panel.tsx'
import { DecisionsPanel } from '../run/decisions-panel.tsx'
import { EventsPanel } from '../run/events-panel.tsx'
import { LogView } from '../run/log-view.tsx'
import { PromptsPanel } from '../run/prompts-panel.tsx'
import styles from '../run/run.module.css'
import { standingOfStep, stepHref } from '../run/step-standing.ts'
import { WaitingGate } from '../run/waiting-gates.tsx'

/** One step of a run: what went in and came out, what it wrote, asked, cost and was allowed. */
export function Page({ params }: PageProps): ReactNode {
  const { run: runId = '', step: path = '' } = params
  const graph = useRead('/api/v1/runs/{run}/graph', { path: { run: runId } })
  const step = useRead('/api/v1/runs/{run}/steps/{step}', { path: { run: runId, step: path } })
  const gates = useRead('/api/v1/runs/{run}/gates', { path: { run: runId } })
  const run = graph.data?.run
  // What waits stands above everything else: it must not push it down when it comes later.
  if (run === undefined || step.data === undefined || (gates.data === undefined && gates.failureCount === 0)) {
    const missing = step.error instanceof ReadError && step.error.status === 404
    return (
      <PageFrame title={path} crumbs={<Crumbs runId={runId} name={run?.name ?? 'Run'} />}>
        {missing && run !== undefined ? (
          <Empty title="This step has not begun">
            It shows here once it has. <Link href={`/runs/${runId}`}>Back to the run</Link>
          </Empty>
        ) : (
          <Loaded<unknown> of={run === undefined ? graph : step} lines={12}>
            {() => <Skeleton lines={12} />}
          </Loaded>
        )}
      </PageFrame>
    )
  }
  const node = graph.data?.nodes.find((each) => each.path === step.data.path)
  return <StepPage run={run} step={step.data} node={node} gates={gates.data?.items ?? []} />
}

function Crumbs({ runId, name }: { readonly runId: string; readonly name: string }): ReactNode {
  return (
    <>
      <Link href="/runs">Runs</Link> / <Link href={`/runs/${runId}`}>{name}</Link>
    </>
  )
}

interface StepProps {
  readonly run: Run
  readonly step: Step
  readonly node: RunGraphNode | undefined
}

function StepPage({ run, step, node, gates }: StepProps & { readonly gates: readonly Gate[] }): ReactNode {
  const standing = standingOfStep(step)
  const gate = gates.findLast((each) => each.step === step.path && each.state === 'waiting')
  const log = `/api/v1/runs/${run.run_id}/log`
  return (
    <PageFrame
      title={step.path}
      tab={`${step.path} · ${run.name}`}
      crumbs={<Crumbs runId={run.run_id} name={run.name} />}
      lead={
        <>
          {step.kind.replaceAll('_', ' ')}
          {node?.does == null ? '' : `: ${node.does}`}
        </>
      }
      aside={
        <>
          <Status value={standing.word} tone={standing.tone} />
          <Duration from={step.started_at} to={step.completed_at} />
        </>
      }
    >
      {gate === undefined ? null : <WaitingGate gate={gate} />}
      <Failed step={step} />
      <Tabs
        label="Of this step"
        tabs={[
          { id: 'values', label: 'Inputs & outputs', content: <Values run={run} step={step} node={node} /> },
          {
            id: 'log',
            label: 'Log',
            content: (
              <LogView
                address={run.completed_at === null ? `${log}?follow=true` : log}
                label={`Log of ${step.path}`}
                step={step.path}
                download={log}
                fileName={`${run.name}.log`}
              />
            ),
          },
          ...(step.kind === 'agent_task' || step.kind === 'action_task'
            ? [
                {
                  id: 'prompts',
                  label: 'Prompt & answer',
                  content: <PromptsPanel runId={run.run_id} step={step.path} />,
                },
              ]
            : []),
          { id: 'artifacts', label: 'Artifacts', content: <ArtifactsPanel runId={run.run_id} stepId={step.step_id} /> },
          { id: 'cost', label: 'Cost', content: <CostsPanel runId={run.run_id} step={step.path} /> },
          { id: 'decisions', label: 'Decisions', content: <DecisionsPanel runId={run.run_id} stepId={step.step_id} /> },
          { id: 'events', label: 'Events', content: <EventsPanel runId={run.run_id} stepId={step.step_id} /> },
        ]}
      />
    </PageFrame>
  )
}

function Failed({ step }: { readonly step: Step }): ReactNode {
  if (step.error === null) return null
  const { message, code } = step.error
  return (
    <section className={styles['failure']} aria-label="Why it failed" data-testid="step-failure">
      <h2 className={styles['failureTitle']}>
        <CircleX size={18} aria-hidden />
        {step.status === 'failed' ? 'It failed' : 'The last attempt failed'}
        {typeof code === 'string' ? <code className={styles['code']}>{code}</code> : null}
      </h2>
      {typeof message === 'string' ? <p className={styles['failureText']}>{message}</p> : null}
    </section>
  )
}

function Values({ run, step, node }: StepProps): ReactNode {
  return (
    <>
      <div className={styles['pair']}>
        <Card title="Inputs">
          {step.inputs === null ? (
            <p className={styles['none']}>None.</p>
          ) : (
            <JsonBlock value={step.inputs} label="Inputs" testId="step-inputs" />
          )}
        </Card>
        <Card title="Output">
          {step.output === null || step.output === undefined ? (
            <p className={styles['none']}>{step.completed_at === null ? 'There is none yet.' : 'None.'}</p>
          ) : typeof step.output === 'string' ? (
            <TextBlock text={step.output} label="Output" testId="step-output" />
          ) : (
            <JsonBlock value={step.output} label="Output" testId="step-output" />
          )}
        </Card>
      </div>
      <Card title="About">
        <Facts
          of={[
            ['Kind', step.kind.replaceAll('_', ' ')],
            ...(node?.does == null ? [] : ([['Does', node.does]] as const)),
            [
              'Attempt',
              node === undefined || node.max_attempts === 1
                ? String(step.attempt)
                : `${step.attempt} of ${node.max_attempts}`,
            ],
            ['Began', <Time at={step.started_at} key="b" />],
            ['Ended', <Time at={step.completed_at} key="e" />],
            ...(step.next_attempt_at === null
              ? []
              : ([['Tries again', <Time at={step.next_attempt_at} key="n" />]] as const)),
            ...(node == null || node.waits_for.length === 0
              ? []
              : ([['After', <Paths runId={run.run_id} paths={node.waits_for} key="w" />]] as const)),
            ...(node?.container == null
              ? []
              : ([['Inside of', <Paths runId={run.run_id} paths={[node.container]} key="c" />]] as const)),
            ...(node?.condition_expression == null
              ? []
              : ([['Only if', <code key="i">{node.condition_expression}</code>]] as const)),
            ...(node?.undo == null ? [] : ([['Undone by', node.undo]] as const)),
            ...(node?.place == null ? [] : ([['Written at', <code key="p">{node.place}</code>]] as const)),
            ['Id', <code key="d">{step.step_id}</code>],
          ]}
        />
      </Card>
    </>
  )
}

function Paths({ runId, paths }: { readonly runId: string; readonly paths: readonly string[] }): ReactNode {
  return (
    <>
      {paths.map((path, at) => (
        <span key={path}>
          {at === 0 ? '' : ', '}
          <Link href={stepHref(runId, path)}>{path}</Link>
        </span>
      ))}
    </>
  )
}
