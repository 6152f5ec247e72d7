import { describe, expect, it } from 'vitest'
import { kindByWord } from '../../src/cli/kinds/kind-table.ts'
import { renderEventLine } from '../../src/cli/print/event-lines.ts'
import { renderObject } from '../../src/cli/print/object-description.ts'
import { renderRun } from '../../src/cli/print/run-description.ts'
import { agent, artifact, brokenAgent, budget, event, gate, issues, NOW, PLAIN, run, step } from './cli/objects.ts'

const context = { now: NOW, width: 110, colors: PLAIN }
const golden = (text: string, name: string) => expect(text).toMatchFileSnapshot(`./cli/describe-${name}.txt`)
const command = (...words: string[]) => ['bin/stateward', ...words].join(' ')

const events = [
  event(40, { data: { name: 'sre', digest: 'ab'.repeat(32), empty: null } }),
  event(41, {
    event_name: 'stateward.agent.instance.started',
    actor: 'system:controller',
    occurred_at: '2026-05-04T09:59:30.000Z',
    data: { pid: 4711 },
  }),
]

const runEvents = [
  event(42, {
    event_name: 'stateward.run.step.completed',
    occurred_at: '2026-05-04T09:59:01.500Z',
    data: { run: 'checkmk-k3q9zt', step: 'analyze', kind: 'agent_task', attempt: 2, output: { a: 1 } },
  }),
  event(43, {
    event_name: 'stateward.run.gate.opened',
    occurred_at: '2026-05-04T09:59:01.500Z',
    data: { run: 'checkmk-k3q9zt', step: 'approve', mode: 'manual', message: 'Restart nginx on web-1?' },
  }),
]
const decided = gate({
  state: 'approved',
  min_approvals: 1,
  decided_at: '2026-05-04T10:04:00.000Z',
  decisions: [
    { decision: 'approve', actor: 'user:ada', reason: 'it is\u001b[2J down', decided_at: '2026-05-04T09:59:40.000Z' },
  ],
})
const log = artifact({})

const analyzed = step('analyze', {
  kind: 'agent_task',
  status: 'completed',
  attempt: 2,
  started_at: '2026-05-04T09:59:00.200Z',
  completed_at: '2026-05-04T09:59:01.500Z',
  inputs: { agent: 'openai', prompt: 'Why?\nSay it in one line.' },
  outputs: { summary: 'the configuration does not load', evil: '\u001b[31mred' },
})

describe('what describe prints', () => {
  it('is everything about an agent', () =>
    golden(renderObject({ kind: kindByWord('agent'), object: agent, issues: [], events }, context), 'agent'))

  it('shows what is wrong with file, line and remedy, and which revision stays in force', () =>
    golden(
      renderObject({ kind: kindByWord('agent'), object: brokenAgent, issues, events: [] }, context),
      'broken-agent',
    ))

  it('says of a kind that is only accepted that it is not enforced', () => {
    const text = renderObject(
      { kind: { ...kindByWord('budget'), notYetEnforced: true }, object: budget, issues: [], events: [] },
      context,
    )
    expect(text).toContain('Budget (accepted, not enforced yet)')
  })

  it('shows what a run waits for and the commands that decide it', () => {
    const steps = [
      analyzed,
      step('approve', {
        kind: 'gate',
        status: 'running',
        attempt: 1,
        waits_for: ['analyze'],
        started_at: '2026-05-04T09:59:01.500Z',
        condition: { reason: 'WaitingForApproval', message: 'Restart nginx on web-1?' },
      }),
      step('run_fix', { kind: 'action_task', waits_for: ['approve', 'analyze'] }),
    ]
    const waiting = run({ condition: { reason: 'WaitingForApproval', message: 'Restart nginx on web-1?' } })
    return golden(
      renderRun({ run: waiting, steps, gates: [gate({})], artifacts: [], events: runEvents, command }, context),
      'run-waiting',
    )
  })

  it('shows what is known of an effect whose outcome is not, and the three answers', () => {
    const message = 'the process went away during the call; nobody knows whether ssh.run took effect'
    const fix = step('run_fix', {
      kind: 'action_task',
      status: 'running',
      attempt: 1,
      started_at: '2026-05-04T09:59:01.500Z',
      inputs: { host: 'web-1', cmd: 'systemctl restart nginx' },
      condition: {
        reason: 'WaitingForApproval',
        message,
        effect: {
          operation_id: '0196a5c8-0000-7000-8000-000000000001/run_fix/1',
          tool: 'ssh.run',
          request_digest: 'ab'.repeat(32),
          intended_at: '2026-05-04T09:59:01.500Z',
        },
      },
    })
    const waiting = run({ condition: { reason: 'WaitingForApproval', message } })
    const asked = gate({
      step: 'run_fix',
      mode: 'quarantine',
      message,
      approvers: [],
      min_approvals: 1,
      input_schema: null,
      self_approval: true,
      timeout_at: null,
      decisions: [],
    })
    return golden(
      renderRun({ run: waiting, steps: [fix], gates: [asked], artifacts: [], events: [], command }, context),
      'run-quarantined',
    )
  })

  it('shows why a run failed, with the remedy and what caused it', () => {
    const error = {
      code: 'tool_failed',
      category: 'tool',
      message: 'ssh.run ended with exit code 255: no route to host',
      retryable: false,
      details: { exit_code: 255 },
      cause: { code: 'deadline_exceeded', message: 'no answer in 30s' },
    }
    const steps = [
      analyzed,
      step('run_fix', {
        kind: 'action_task',
        status: 'failed',
        attempt: 1,
        started_at: '2026-05-04T09:59:02.000Z',
        completed_at: '2026-05-04T09:59:02.350Z',
        inputs: { host: 'web-1', cmd: { literal: 'systemctl restart "$1"', args: ['nginx'] } },
        error,
      }),
      step('report', { status: 'skipped' }),
    ]
    const failed = run({ status: 'failed', completed_at: '2026-05-04T09:59:02.400Z', error })
    return golden(
      renderRun({ run: failed, steps, gates: [], artifacts: [], events: [], command }, context),
      'run-failed',
    )
  })

  it('shows the outputs of a run that completed', () => {
    const done = run({
      status: 'completed',
      completed_at: '2026-05-04T10:05:00.100Z',
      outputs: { summary: 'nginx was restarted' },
    })
    return golden(
      renderRun({ run: done, steps: [analyzed], gates: [decided], artifacts: [log], events: [], command }, context),
      'run-completed',
    )
  })
})

describe('what events prints', () => {
  it('is one line an event, whatever its text holds', () => {
    const lines = [
      event(7, {
        event_name: 'checkmk.alert',
        actor: 'user:ada',
        data: { host: 'web-1', note: 'a\nb\u001b[2J', nested: { a: 1 } },
      }),
      event(8, { resource: { type: 'Agent', id: 'default/sre' }, data: { long: 'x'.repeat(400) } }),
    ]
    return golden(lines.map((each) => renderEventLine(each, PLAIN)).join(''), 'event-lines')
  })
})
