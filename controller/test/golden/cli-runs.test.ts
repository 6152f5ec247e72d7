import { describe, expect, it } from 'vitest'
import type { RunDto, StepDto } from '../../src/cli/client/dto.ts'
import { decisionCommands } from '../../src/cli/print/run-gates.ts'
import { createHistory } from '../../src/cli/print/run-history.ts'
import { renderRunTable } from '../../src/cli/print/run-table.ts'
import { renderRunTree, type TreeView } from '../../src/cli/print/run-tree.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { COLORS, event, NOW, PLAIN, run, step } from './cli/objects.ts'

const golden = (text: string, name: string) => expect(text).toMatchFileSnapshot(`./cli/run-${name}.txt`)
const at = (seconds: number) => new Date(Date.parse('2026-05-04T09:59:00.100Z') + seconds * 1000).toISOString()

const took = (from: number, to: number): Partial<StepDto> => ({
  status: 'completed',
  attempt: 1,
  started_at: at(from),
  completed_at: at(to),
})
const error = {
  code: 'tool_failed',
  category: 'tool',
  message: 'ssh.run ended with exit code 255: no route to host',
  retryable: true,
  details: { exit_code: 255, retryable: true, place: 'blueprints/release.yaml:12:5' },
  cause: { code: 'deadline_exceeded', message: 'no answer in 30s' },
}

/** Parallel branches, a loop, a retry, a gate: everything at once. */
const STEPS: readonly StepDto[] = [
  step('checkout', { kind: 'action_task', ...took(0, 1.2) }),
  step('lint', { kind: 'action_task', ...took(1.2, 3), waits_for: ['checkout'] }),
  step('unit', { kind: 'action_task', status: 'running', attempt: 1, started_at: at(1.2), waits_for: ['checkout'] }),
  step('deploy', {
    kind: 'action_task',
    status: 'running',
    attempt: 2,
    started_at: null,
    next_attempt_at: '2026-05-04T10:00:02.500Z',
    condition: { reason: 'ProgressingWithRetry', message: 'attempt 2 of 3 follows: no route to host' },
    waits_for: ['checkout'],
  }),
  step('regions', { kind: 'foreach', status: 'running', attempt: 1, started_at: at(3), waits_for: ['lint'] }),
  ...Array.from({ length: 14 }, (_, n) =>
    step(`regions[${n}].ping`, {
      kind: 'action_task',
      ...(n < 3
        ? took(3, 4)
        : n === 3
          ? { ...took(3, 4), status: 'failed' as const, error }
          : { status: 'running' as const, attempt: 1, started_at: at(4) }),
    }),
  ),
  step('approve', {
    kind: 'gate',
    status: 'running',
    attempt: 1,
    started_at: at(5),
    condition: { reason: 'WaitingForApproval', message: 'Release 日本 to\nproduction?\u001b[2J' },
    waits_for: ['lint'],
  }),
  step('a_step_with_a_name_that_is_longer_than_any_column', { kind: 'transform', waits_for: ['approve', 'regions'] }),
  step('report', { waits_for: ['a_step_with_a_name_that_is_longer_than_any_column'] }),
]
const VIEW: TreeView = { now: NOW, columns: 80, rows: 40, colors: PLAIN, frame: 3 }
const tree = (change: Partial<RunDto>, steps: readonly StepDto[], view: Partial<TreeView> = {}) =>
  renderRunTree(
    {
      run: run(change),
      steps,
      commands: (question) =>
        decisionCommands((...words) => ['bin/stateward', ...words].join(' '), 'checkmk-k3q9zt', question),
    },
    { ...VIEW, ...view },
  )

describe('the tree of run --wait', () => {
  it('shows what runs, what waits for what, and how to decide it, in 80 columns', async () => {
    const text = tree({}, STEPS)
    const lines = text.split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80)
    await golden(text, 'tree')
  })

  it('fits a small screen: what happens goes before what is over and what is to come', async () => {
    const many = [
      ...Array.from({ length: 30 }, (_, n) => step(`done_${n}`, took(n, n + 1))),
      step('now', { status: 'running', attempt: 1, started_at: at(31) }),
      ...Array.from({ length: 30 }, (_, n) => step(`later_${n}`, { waits_for: ['now'] })),
    ]
    const text = tree({}, many, { rows: 10 })
    expect(text.split('\n').length).toBeLessThanOrEqual(10)
    await golden(text, 'tree-small')
    expect(tree({}, STEPS, { rows: 8 }).split('\n').length).toBeLessThanOrEqual(8)
  })

  it('has colours where they are wanted', () => golden(tree({}, STEPS.slice(0, 4), { colors: COLORS }), 'tree-colours'))

  it('says how a run ended', () => {
    const steps = [
      STEPS[0]!,
      step('deploy', { ...took(1, 2), status: 'failed', error }),
      step('report', { status: 'skipped' }),
    ]
    return golden(tree({ status: 'failed', completed_at: at(2) }, steps), 'tree-failed')
  })

  it('waits for a worker before anything has begun', () => {
    const text = tree({ status: 'created', started_at: null, created_at: at(55) }, [step('a', {})])
    expect(text).toBe('· checkmk-k3q9zt  waits for a worker  4.9s  0 of 1 steps\n└─ · a\n')
  })
})

describe('what runs prints', () => {
  const runs = [
    run({
      name: 'release-aaaaaa',
      condition: { reason: 'WaitingForApproval', message: 'Release shop to production?' },
    }),
    run({ name: 'release-bbbbbb', status: 'failed', completed_at: at(12.4), error }),
    run({ name: 'docs-review-cccccc', blueprint_ref: 'docs-review', status: 'completed', completed_at: at(200) }),
    run({ name: 'checkmk-dddddd', namespace: 'prod', status: 'created', started_at: null }),
    run({
      name: 'checkmk-eeeeee',
      status: 'cancelled',
      completed_at: at(3),
      error: { code: 'cancelled', message: 'old' },
    }),
  ]
  const options = { wide: false, withNamespace: false, now: NOW, width: 80, colors: PLAIN }

  it('fits 80 columns', async () => {
    const text = renderRunTable(runs, options)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    await golden(text, 'table')
  })

  it('has every column with -o wide, and namespaces with -A', () =>
    golden(renderRunTable(runs, { ...options, wide: true, withNamespace: true, width: null }), 'table-wide'))
})

describe('the history of a run', () => {
  const told = (name: string, seconds: number, data: JsonObject) =>
    event(Math.round(seconds * 10) + 50, {
      event_name: `stateward.${name}`,
      occurred_at: at(seconds),
      actor: 'user:ada',
      data: { run: 'checkmk-k3q9zt', ...data },
    })
  const EVENTS = [
    told('run.created', 0, {
      blueprint: 'checkmk',
      revision: '22a0333c579b9bc6a43b1c214c3f5fccac1269bb',
      trigger: 'event:checkmk.alert',
      inputs: { host: 'web-1' },
    }),
    told('run.started', 0.1, {}),
    told('run.step.started', 0.1, { step: 'fix', kind: 'action_task', attempt: 1, inputs: { cmd: 'restart' } }),
    told('run.step.retried', 1.4, {
      step: 'fix',
      kind: 'action_task',
      attempt: 1,
      error,
      next_attempt: 2,
      next_attempt_at: at(2.4),
    }),
    told('run.step.started', 2.4, { step: 'fix', kind: 'action_task', attempt: 2 }),
    told('run.step.quarantined', 3, { step: 'fix', tool: 'ssh.run', operation_id: 'x' }),
    told('run.step.resumed', 3.1, { step: 'fix', operation_id: 'x' }),
    told('run.step.completed', 4, {
      step: 'fix',
      kind: 'action_task',
      attempt: 2,
      output_bytes: 40_123,
      output_digest: 'ab'.repeat(32),
    }),
    told('run.gate.opened', 4, { step: 'approve', message: 'Go\u001b[2J on?' }),
    told('run.gate.seconded', 5, { step: 'approve', approvals: 1, min_approvals: 2, reason: null }),
    told('run.gate.rejected', 6, { step: 'approve', reason: 'not today' }),
    told('run.gate.expired', 6, { step: 'other', on_timeout: 'reject' }),
    told('run.cancel.requested', 7, { reason: 'old' }),
    told('task.requeued', 7, { path: 'analyze', attempt: 1, reason: 'its instance is gone' }),
    told('run.step.skipped', 8, { step: 'report', reason: 'the run ends' }),
    told('artifact.stored', 8, { name: 'x.log', kind: 'log', byte_length: 12 }),
    told('run.failed', 8, { duration_ms: 8000, error }),
  ]
  const time = ({ occurred_at: when }: { occurred_at: string }) => when.slice(11, 23)

  it('is a line an event, with failures and commands below', () => {
    const history = createHistory({
      colors: PLAIN,
      time,
      values: false,
      failures: true,
      commands: ({ step: path }) => [`approve ${path}`],
    })
    return golden(EVENTS.map((each) => history(each)).join(''), 'history')
  })

  it('holds what went in and out when asked to', () => {
    const history = createHistory({ colors: PLAIN, time, values: true, failures: false })
    return golden(EVENTS.map((each) => history(each)).join(''), 'history-values')
  })
})
