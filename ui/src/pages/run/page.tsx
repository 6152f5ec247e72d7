import { CircleX, Undo2 } from 'lucide-react'
import type { ReactNode } from 'react'
import { shellWord } from '../../../../controller/src/lib/shell-word.ts'
import type { Gate, Run, RunGraphNode } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { Commit } from '../../components/commit.tsx'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { Columns, Stack } from '../../components/layout.tsx'
import { Link } from '../../components/link.tsx'
import { Card, Facts, PageFrame } from '../../components/page.tsx'
import { Empty, Loaded, Skeleton } from '../../components/states.tsx'
import { Status, StatusIcon } from '../../components/status.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { JsonBlock } from '../../components/text-block.tsx'
import { Duration, Time } from '../../components/time.tsx'
import type { PageProps } from '../../page-props.ts'
import { standingOf, toneOfRun } from '../runs/run-standing.ts'
import { ArtifactsPanel } from './artifacts-panel.tsx'
import { CommitsPanel } from './commits-panel.tsx'
import { CostsPanel } from './costs-panel.tsx'
import { DecisionsPanel } from './decisions-panel.tsx'
import { EventsPanel } from './events-panel.tsx'
import { LogView } from './log-view.tsx'
import { PromptsPanel } from './prompts-panel.tsx'
import styles from './run.module.css'
import { KIND_ICONS, RunGraph } from './run-graph.tsx'
import { RunTimeline } from './run-timeline.tsx'
import { standingOfStep, stepHref } from './step-standing.ts'
import { WaitingGates } from './waiting-gates.tsx'

/** One run: how far it is, what it waits for, what it did and left behind. */
export function Page({ params }: PageProps): ReactNode {
  const reference = params['run'] ?? ''
  const graph = useRead('/api/v1/runs/{run}/graph', { path: { run: reference } })
  const gates = useRead('/api/v1/runs/{run}/gates', { path: { run: reference } })
  // What waits stands above everything else: it must not push it down when it comes later.
  if (graph.data === undefined || (gates.data === undefined && gates.failureCount === 0))
    return (
      <PageFrame title="Run" crumbs={<Link href="/runs">Runs</Link>}>
        <Loaded of={graph} lines={14}>
          {() => <Skeleton lines={14} />}
        </Loaded>
      </PageFrame>
    )
  return <RunPage run={graph.data.run} nodes={graph.data.nodes} gates={gates.data?.items ?? []} />
}

function RunPage(props: {
  readonly run: Run
  readonly nodes: readonly RunGraphNode[]
  readonly gates: readonly Gate[]
}): ReactNode {
  const { run, nodes, gates } = props
  const path = { run: run.run_id }
  const steps = useRead('/api/v1/runs/{run}/steps', { path, query: { values: false, attempts: 'all' } })
  const log = `/api/v1/runs/${run.run_id}/log`
  return (
    <PageFrame
      title={run.name}
      crumbs={<Link href="/runs">Runs</Link>}
      lead={<Lead run={run} />}
      aside={
        <>
          <Status value={standingOf(run)} tone={toneOfRun(run)} />
          <Duration from={run.started_at} to={run.completed_at} />
        </>
      }
    >
      <WaitingGates gates={gates} />
      <WhyItEnded run={run} nodes={nodes} />
      <Tabs
        label="Of this run"
        tabs={[
          {
            id: 'plan',
            label: 'Plan',
            content: (
              <>
                <Card title="Steps" aside={progressOf(nodes)} flush>
                  <RunGraph runId={run.run_id} nodes={nodes} />
                </Card>
                <Card title="Timeline" flush>
                  <RunTimeline run={run} nodes={nodes} steps={steps.data?.items ?? []} />
                </Card>
                <About run={run} gates={gates} />
              </>
            ),
          },
          { id: 'steps', label: 'List', content: <StepTable run={run} nodes={nodes} /> },
          {
            id: 'log',
            label: 'Log',
            content: (
              <LogView
                address={run.completed_at === null ? `${log}?follow=true` : log}
                label={`Log of ${run.name}`}
                download={log}
                fileName={`${run.name}.log`}
              />
            ),
          },
          { id: 'values', label: 'Inputs & outputs', content: <Values runId={run.run_id} /> },
          { id: 'prompts', label: 'Prompts', content: <PromptsPanel runId={run.run_id} /> },
          { id: 'artifacts', label: 'Artifacts', content: <ArtifactsPanel runId={run.run_id} /> },
          { id: 'cost', label: 'Cost', content: <CostsPanel runId={run.run_id} /> },
          { id: 'decisions', label: 'Decisions', content: <DecisionsPanel runId={run.run_id} /> },
          { id: 'commits', label: 'Commits', content: <CommitsPanel runId={run.run_id} /> },
          { id: 'events', label: 'Events', content: <EventsPanel runId={run.run_id} /> },
        ]}
      />
    </PageFrame>
  )
}

function Lead({ run }: { readonly run: Run }): ReactNode {
  return (
    <>
      {run.blueprint_ref === null ? 'A plan of its own' : <BlueprintLink run={run} />}, started{' '}
      <Time at={run.created_at} /> by <TriggerLink run={run} />, at{' '}
      <Link href={`/commits/${run.revision}`}>
        <Commit id={run.revision} />
      </Link>
    </>
  )
}

function BlueprintLink({ run }: { readonly run: Run }): ReactNode {
  return <Link href={`/resources/Blueprint/${run.namespace}/${run.blueprint_ref ?? ''}`}>{run.blueprint_ref}</Link>
}

/** What started it: an event leads to that event. */
function TriggerLink({ run }: { readonly run: Run }): ReactNode {
  if (run.event_id !== null) return <Link href={`/events/${run.event_id}`}>{run.trigger}</Link>
  return run.trigger === 'manual' ? run.actor : `${run.trigger} (${run.actor})`
}

function progressOf(nodes: readonly RunGraphNode[]): string {
  const steps = nodes.filter(({ kind }) => kind !== 'foreach' && kind !== 'blueprint')
  const ended = steps.filter(({ status }) => status !== 'created' && status !== 'running').length
  return `${ended} of ${steps.length} ended`
}

function WhyItEnded({ run, nodes }: { readonly run: Run; readonly nodes: readonly RunGraphNode[] }): ReactNode {
  const { error, status } = run
  if (status !== 'failed' || error === null) return null
  const failed = nodes.find((node) => node.status === 'failed' && node.kind !== 'foreach' && node.kind !== 'blueprint')
  const scope = run.namespace === 'default' ? '' : ` -n ${run.namespace}`
  const message = failed?.error?.['message'] ?? error['message']
  const code = failed?.error?.['code'] ?? error['code']
  return (
    <section className={styles['failure']} aria-label="Why it failed" data-testid="run-failure">
      <h2 className={styles['failureTitle']}>
        <CircleX size={18} aria-hidden />
        {failed === undefined ? (
          'The run failed'
        ) : (
          <span>
            <Link href={stepHref(run.run_id, failed.path)}>{failed.path}</Link> failed
          </span>
        )}
        {typeof code === 'string' ? <code className={styles['code']}>{code}</code> : null}
      </h2>
      {typeof message === 'string' ? <p className={styles['failureText']}>{message}</p> : null}
      <div className={styles['commands']}>
        <Command
          label="Go on from where it failed"
          command={`stateward retry ${run.name}${failed === undefined ? '' : ` --from ${shellWord(failed.path)}`}${scope}`}
          testId="run-retry"
        />
        <Command label="Undo what it did" command={`stateward rollback ${run.name}${scope}`} testId="run-rollback" />
      </div>
    </section>
  )
}

function About({ run, gates }: { readonly run: Run; readonly gates: readonly Gate[] }): ReactNode {
  const scope = run.namespace === 'default' ? '' : ` -n ${run.namespace}`
  const decided = gates.filter(({ state }) => state !== 'waiting')
  return (
    <Columns>
      <Card title="About">
        <Facts
          of={[
            ['Blueprint', run.blueprint_ref === null ? 'a plan of its own' : <BlueprintLink run={run} key="b" />],
            ['Namespace', run.namespace],
            ['Started by', <TriggerLink run={run} key="t" />],
            ['By', run.actor],
            [
              'Commit',
              <Link href={`/commits/${run.revision}`} key="c">
                <Commit id={run.revision} />
              </Link>,
            ],
            ['Created', <Time at={run.created_at} key="a" />],
            ['Ended', <Time at={run.completed_at} key="e" />],
            ['Deadline', <Time at={run.deadline} key="d" />],
            ['Priority', String(run.priority)],
            [
              'Everything of this cause',
              <Link href={`/events?correlation=${encodeURIComponent(run.correlation_id)}`} key="x">
                events
              </Link>,
            ],
            ['Id', <code key="i">{run.run_id}</code>],
            ...(run.parent === null
              ? []
              : ([
                  [
                    run.parent.kind === 'retry' ? 'Goes on from' : 'Undoes',
                    <Link href={`/runs/${run.parent.run_id}`} key="p">
                      <code>{run.parent.run_id.slice(0, 13)}</code>
                    </Link>,
                  ],
                ] as const)),
          ]}
        />
        {run.children.length === 0 ? null : (
          <ul>
            {run.children.map((child) => (
              <li key={child.run_id} className={styles['name']}>
                <Undo2 size={14} aria-hidden />
                {child.kind === 'retry' ? 'went on as' : 'was undone by'}{' '}
                <Link href={`/runs/${child.run_id}`}>{child.name}</Link>
                <Status value={child.status} look="plain" />
              </li>
            ))}
          </ul>
        )}
      </Card>
      <Card title="In a terminal">
        <Stack>
          {decided.map((gate) => (
            <p key={gate.gate_id} className="quiet">
              <strong>{gate.step}</strong> was {gate.state}
              {gate.decisions.length === 0 ? '' : ` by ${gate.decisions.map(({ actor }) => actor).join(', ')}`}
            </p>
          ))}
          {run.completed_at === null ? (
            <Command label="Cancel it" command={`stateward cancel ${run.name}${scope}`} testId="run-cancel" />
          ) : (
            <Command label="Run it again from a step" command={`stateward retry ${run.name} --from <step>${scope}`} />
          )}
          <Command label="Follow its log" command={`stateward logs ${run.name} -f${scope}`} />
          <Command label="All of it" command={`stateward describe run ${run.name}${scope}`} />
        </Stack>
      </Card>
    </Columns>
  )
}

const STEP_COLUMNS: readonly Column<RunGraphNode>[] = [
  {
    id: 'path',
    header: 'Step',
    width: 'minmax(10rem, 2fr)',
    cell: (node) => {
      const standing = standingOfStep(node)
      return (
        <span className={styles['name']}>
          <StatusIcon value={standing.word} tone={standing.tone} />
          {node.path}
        </span>
      )
    },
  },
  {
    id: 'kind',
    header: 'Kind',
    width: 'minmax(7rem, 1fr)',
    cell: ({ kind }) => {
      const Icon = KIND_ICONS[kind]
      return (
        <span className={styles['name']}>
          {Icon === undefined ? null : <Icon size={14} aria-hidden />}
          <span className="quiet">{kind.replaceAll('_', ' ')}</span>
        </span>
      )
    },
    from: 560,
  },
  {
    id: 'status',
    header: 'Status',
    width: 'minmax(7rem, 1fr)',
    cell: (node) => {
      const standing = standingOfStep(node)
      return <Status value={standing.word} tone={standing.tone} look="plain" title={standing.message ?? undefined} />
    },
  },
  {
    id: 'does',
    header: 'Does',
    width: 'minmax(8rem, 1.5fr)',
    cell: ({ does }) => <span className="quiet">{does}</span>,
    from: 800,
  },
  { id: 'attempt', header: 'Attempt', width: '4.5rem', align: 'end', cell: ({ attempt }) => attempt, from: 900 },
  {
    id: 'began',
    header: 'Began',
    width: '6rem',
    align: 'end',
    cell: ({ started_at }) => <Time at={started_at} />,
    from: 680,
  },
  {
    id: 'took',
    header: 'Took',
    width: '5.5rem',
    align: 'end',
    cell: ({ started_at, completed_at }) => <Duration from={started_at} to={completed_at} />,
  },
]

function StepTable({ run, nodes }: { readonly run: Run; readonly nodes: readonly RunGraphNode[] }): ReactNode {
  return (
    <DataTable
      label="Steps"
      columns={STEP_COLUMNS}
      rows={nodes}
      rowKey={({ path }) => path}
      href={(node) => (node.step_id === null ? null : stepHref(run.run_id, node.path))}
      isLoud={({ status }) => status === 'failed'}
      empty={<Empty title="The plan of this run is not held any more" />}
      testId="steps"
    />
  )
}

function Values({ runId }: { readonly runId: string }): ReactNode {
  const run = useRead('/api/v1/runs/{run}', { path: { run: runId } })
  return (
    <Loaded of={run} lines={8}>
      {({ inputs, outputs, error }) => (
        <div className={styles['pair']}>
          <Card title="Inputs">
            <JsonBlock value={inputs} label="Inputs" testId="run-inputs" />
          </Card>
          <Card title={error === null ? 'Outputs' : 'Failure'}>
            {error !== null ? (
              <JsonBlock value={error} label="Failure" />
            ) : outputs === null ? (
              <p className={styles['none']}>There are none until the run completes.</p>
            ) : (
              <JsonBlock value={outputs} label="Outputs" testId="run-outputs" />
            )}
          </Card>
        </div>
      )}
    </Loaded>
  )
}
