import picocolors from 'picocolors'
import type { ArtifactDto, EventDto, GateDto, RunDto, StepDto } from '../../../src/cli/client/dto.ts'
import type { Condition } from '../../../src/kinds/conditions.ts'
import type { ObjectView } from '../../../src/kinds/resource.ts'
import type { Issue } from '../../../src/lib/issue.ts'

export const NOW = new Date('2026-05-04T10:00:00.000Z')
export const PLAIN = picocolors.createColors(false)
export const COLORS = picocolors.createColors(true)

const REVISION = '22a0333c579b9bc6a43b1c214c3f5fccac1269bb'
const NEWER = '9f1e2d3c4b5a69788796a5b4c3d2e1f001122334'
const RUN_ID = '0196a5c8-0000-7000-8000-000000000001'

function condition(change: Partial<Condition>): Condition {
  return {
    type: 'Ready',
    status: 'True',
    reason: 'Succeeded',
    message: 'it runs and reports',
    observedGeneration: 2,
    lastTransitionTime: '2026-05-04T09:55:00.000Z',
    ...change,
  }
}

export const agent: ObjectView = {
  apiVersion: 'stateward.dev/v1alpha1',
  kind: 'Agent',
  metadata: {
    name: 'sre',
    namespace: 'default',
    uid: '0196a5c8-0000-7000-8000-0000000000aa',
    generation: 2,
    resourceVersion: '41',
    creationTimestamp: '2026-05-04T07:00:00.000Z',
    labels: { team: 'platform', tier: 'gold' },
  },
  spec: {
    description: 'Watches alerts.',
    replicas: 1,
    runtime: { process: { command: ['node', 'main.mjs'], workdir: 'agents/sre' } },
  },
  status: {
    observedGeneration: 2,
    phase: 'Running',
    replicas: 1,
    readyReplicas: 1,
    instances: [{ id: '0196a5c8-0000-7000-8000-0000000000bb', host: 'local', pid: 4711, restartCount: 0 }],
    lastAppliedRevision: REVISION,
    conditions: [
      condition({}),
      condition({
        type: 'Isolated',
        status: 'False',
        reason: 'ProcessOwnUser',
        message: "its processes run under the controller's user",
      }),
    ],
  },
}

export const brokenAgent: ObjectView = {
  ...agent,
  metadata: { ...agent.metadata, name: 'überwacher-日本', uid: '0196a5c8-0000-7000-8000-0000000000cc', generation: 3 },
  status: {
    observedGeneration: 2,
    phase: 'Failed',
    lastAppliedRevision: REVISION,
    lastAttemptedRevision: NEWER,
    conditions: [
      condition({
        status: 'False',
        reason: 'ValidationFailed',
        message: 'agents/x.yaml:12:7: spec.replicas must be a number, not "two"; the last good revision stays in force',
      }),
    ],
  },
}

export const budget: ObjectView = {
  ...agent,
  kind: 'Budget',
  metadata: { ...agent.metadata, name: 'monthly' },
  spec: { maxUsd: 25, window: 'month' },
  status: {
    lastAppliedRevision: REVISION,
    conditions: [
      condition({ status: 'Unknown', reason: 'NotYetEnforced', message: 'accepted, but not enforced by this version' }),
    ],
  },
}

export const policy: ObjectView = {
  ...agent,
  kind: 'Policy',
  metadata: { ...agent.metadata, name: 'remote-commands' },
  spec: { type: 'governance', evaluationMode: 'first_match', rules: [] },
  status: {
    lastAppliedRevision: REVISION,
    version: 3,
    rules: 2,
    decisions: { allowed: 7, denied: 1, asked: 0 },
    conditions: [condition({ message: 'version 3 is enforced' })],
  },
}

export const issues: readonly Issue[] = [
  {
    code: 'SW_WRONG_TYPE',
    severity: 'error',
    message: 'spec.replicas must be a number, not "two"',
    hint: 'write 2',
    file: 'agents/x.yaml',
    line: 12,
    column: 7,
    object: 'Agent/default/überwacher-日本',
  },
  {
    code: 'SW_SERVER_FIELD',
    severity: 'warning',
    message: 'status is ignored',
    hint: 'remove it',
    file: 'agents/x.yaml',
    line: 30,
  },
]

export function event(seq: number, change: Partial<EventDto>): EventDto {
  return {
    seq,
    event_id: `0196a5c8-0000-7000-8000-0000000001${seq}`,
    event_name: 'stateward.object.created',
    occurred_at: '2026-05-04T09:58:00.000Z',
    env_id: 'default',
    actor: 'system',
    correlation_id: 'c-1',
    run_id: null,
    step_id: null,
    resource: null,
    data: {},
    ...change,
  }
}

const MESSAGES = {
  running: 'approve step approve',
  completed: 'the run completed',
  failed: 'fix ended with exit code 1: no route to host',
} as const

export function runObject(phase: keyof typeof MESSAGES): ObjectView {
  const status = phase === 'running' ? 'Unknown' : phase === 'completed' ? 'True' : 'False'
  return {
    ...agent,
    kind: 'Run',
    metadata: { ...agent.metadata, name: `checkmk-${phase}`, creationTimestamp: '2026-05-04T09:59:12.000Z' },
    spec: { blueprintRef: { name: 'checkmk' }, revision: REVISION, inputs: { host: 'web-1' } },
    status: { phase, conditions: [condition({ type: 'Succeeded', status, message: MESSAGES[phase] })] },
  }
}

export function run(change: Partial<RunDto>): RunDto {
  return {
    run_id: RUN_ID,
    namespace: 'default',
    name: 'checkmk-k3q9zt',
    blueprint_ref: 'checkmk',
    revision: REVISION,
    plan_digest: 'ab'.repeat(32),
    status: 'running',
    priority: 0,
    trigger: 'event:checkmk.alert',
    event_id: null,
    created_at: '2026-05-04T09:59:00.000Z',
    started_at: '2026-05-04T09:59:00.100Z',
    completed_at: null,
    deadline: '2026-05-04T10:59:00.000Z',
    actor: 'user:ada',
    correlation_id: 'c-1',
    inputs: { host: 'web-1', service: 'nginx' },
    outputs: null,
    error: null,
    condition: null,
    parent: null,
    children: [],
    ...change,
  }
}

export function step(path: string, change: Partial<StepDto>): StepDto {
  return {
    step_id: '0196a5c8-0000-7000-8000-0000000000ee',
    run_id: RUN_ID,
    path,
    name: path,
    kind: 'transform',
    status: 'created',
    attempt: 0,
    waits_for: [],
    started_at: null,
    completed_at: null,
    next_attempt_at: null,
    logs_artifact_id: null,
    inputs: null,
    outputs: null,
    output: change.outputs ?? null,
    error: null,
    condition: null,
    ...change,
  }
}

export function gate(change: Partial<GateDto>): GateDto {
  return {
    gate_id: '0196a5c8-0000-7000-8000-0000000000ff',
    step_id: '0196a5c8-0000-7000-8000-0000000000ff',
    run_id: RUN_ID,
    run: 'checkmk-k3q9zt',
    namespace: 'default',
    blueprint: 'checkmk',
    step: 'approve',
    mode: 'manual',
    state: 'waiting',
    message: 'Restart nginx on web-1?',
    approvers: ['role:operator', 'team:platform'],
    min_approvals: 2,
    input_schema: { type: 'object', required: ['window'] },
    self_approval: false,
    input_digest: 'ef'.repeat(32),
    proposal: null,
    is_proposed: false,
    decisions: [
      { decision: 'approve', actor: 'user:ada', reason: 'it is down', decided_at: '2026-05-04T09:59:40.000Z' },
    ],
    created_at: '2026-05-04T09:59:01.500Z',
    decided_at: null,
    timeout_at: '2026-05-04T10:20:00.000Z',
    correlation_id: 'c-1',
    ...change,
  }
}

export function artifact(change: Partial<ArtifactDto>): ArtifactDto {
  return {
    artifact_id: '0196a5c8-0000-7000-8000-0000000000dd',
    name: 'checkmk-k3q9zt.log',
    kind: 'log',
    content_type: 'text/plain; charset=utf-8',
    byte_length: 40_123,
    created_at: '2026-05-04T10:05:00.000Z',
    created_by: 'system:controller',
    run_id: RUN_ID,
    step_id: null,
    sha256: 'cd'.repeat(32),
    metadata: {},
    ...change,
  }
}
