import { expect, test } from 'vitest'
import { fillDefaults, validateBlueprintV0, validateMerged, validateMetadata, validateSpec } from './validate.ts'

function found(kind: string, spec: unknown): string[] {
  return validateSpec(kind, spec).map(({ code, pointer, message, hint }) => `${code} ${pointer}: ${message} (${hint})`)
}

test('all problems of a spec are collected, each with its place and what to do', () => {
  expect(
    found('Agent', {
      replicas: 101,
      agentId: 1,
      restartPolicy: 'always',
      description: null,
      keepWorkspace: 'yes',
      terminationGracePeriodSeconds: '30',
      capabilities: ['linux', 'Linux', 'linux'],
      heartbeat: { interval: '10', timeout: '1s' },
      runtime: { process: { command: [], env: 'A=b', workdir: '../x' } },
    }).sort(),
  ).toMatchInlineSnapshot(`
    [
      "SW_BAD_VALUE /spec/capabilities/1: capabilities[1] is "Linux", which is not written as it has to be (use lower-case letters, digits, '-', '_' and '.')",
      "SW_BAD_VALUE /spec/capabilities/2: capabilities[2] repeats linux of capabilities[0] (leave one of the two out)",
      "SW_BAD_VALUE /spec/heartbeat/interval: heartbeat.interval is "10", which is not written as it has to be (write a number and a unit of ms, s, m, h or d, for example 30s, 5m, 1h30m)",
      "SW_BAD_VALUE /spec/heartbeat/timeout: heartbeat.timeout is 1s, outside of 2s to 24h (write a duration from 2s to 24h)",
      "SW_BAD_VALUE /spec/replicas: replicas is 101, the largest is 100 (write 100 or less)",
      "SW_BAD_VALUE /spec/restartPolicy: restartPolicy is "always", which is none of Always, OnFailure, Never (did you mean Always?)",
      "SW_BAD_VALUE /spec/runtime/process/command: runtime.process.command is an empty list (give it at least 1)",
      "SW_BAD_VALUE /spec/runtime/process/workdir: runtime.process.workdir is "../x", which is not written as it has to be (write a path relative to the root of the state repo, without '..')",
      "SW_WRONG_TYPE /spec/agentId: agentId has to be a text, not 1 (write three digits in quotes, for example "001")",
      "SW_WRONG_TYPE /spec/description: description has no value; it has to be a text (give it a value, or leave the field out)",
      "SW_WRONG_TYPE /spec/keepWorkspace: keepWorkspace has to be true or false, not "yes" (write true or false, without quotes)",
      "SW_WRONG_TYPE /spec/runtime/process/env: runtime.process.env has to be a list, not "A=b" (write a list: each item on a line of its own, beginning with "- ")",
      "SW_WRONG_TYPE /spec/terminationGracePeriodSeconds: terminationGracePeriodSeconds has to be a whole number, not "30" (write it without quotes: 30)",
    ]
  `)
})

test('a field of another kind of step is refused, a missing one is named', () => {
  expect(
    found('Blueprint', {
      plan: [
        { id: 'approve', kind: 'gate', prompt: 'x' },
        { id: 'fix', kind: 'action_task' },
        { id: 'odd', kind: 'parallel' },
      ],
    }),
  ).toMatchInlineSnapshot(`
    [
      "SW_UNKNOWN_FIELD /spec/plan/0/prompt: plan[0] is a gate, which has no field prompt (its fields are: mode, approvers, min, selfApproval, inputSchema, onTimeout, message; prompt belongs to agent_task)",
      "SW_MISSING_FIELD /spec/plan/0: plan[0].mode is missing: a gate needs it (add mode (manual: a person decides; pullRequest: the merge of a branch that Stateward proposes; policy: policies, and until they are enforced it is denied))",
      "SW_MISSING_FIELD /spec/plan/1: plan[1].action is missing: an action_task needs it (add action (the tool, by name or alias, for example http.call))",
      "SW_BAD_VALUE /spec/plan/2/kind: plan[2].kind is "parallel", which is none of agent_task, action_task, gate, transform, wait, blueprint, foreach (write one of: agent_task, action_task, gate, transform, wait, blueprint, foreach)",
    ]
  `)
})

test('fields of later versions are unknown now', () => {
  const problems = validateSpec('Blueprint', {
    limits: { maxTokens: 1000 },
    plan: [{ id: 'fix', kind: 'action_task', action: 'http.call' }],
  })
  expect(problems).toEqual([expect.objectContaining({ code: 'SW_UNKNOWN_FIELD', pointer: '/spec/limits/maxTokens' })])
})

test('ids are unique in a plan, and needs name other steps of it', () => {
  const step = { kind: 'transform', expression: '1' }
  expect(
    found('Blueprint', {
      plan: [
        { id: 'one', ...step },
        { id: 'one', ...step },
      ],
    }),
  ).toMatchInlineSnapshot(`
    [
      "SW_BAD_VALUE /spec/plan/1: plan[1] repeats id one of plan[0] (give each its own id)",
    ]
  `)
  expect(
    found('Blueprint', {
      plan: [
        { id: 'one', ...step },
        { id: 'two', needs: ['on', 'two', 'one'], ...step },
      ],
    }),
  ).toMatchInlineSnapshot(`
    [
      "SW_BAD_VALUE /spec/plan/1/needs/0: step two needs on, which is no step of this plan (did you mean one?)",
      "SW_BAD_VALUE /spec/plan/1/needs/1: step two needs itself (name a step of this plan)",
    ]
  `)
})

test('a variable has a value or a secret, and none of the names Stateward sets', () => {
  const env = [
    { name: 'A', value: 'b', secretRef: { name: 'c', key: 'd' } },
    { name: 'B' },
    { name: 'STATEWARD_URL', value: 'x' },
    { name: 'C', value: '' },
  ]
  expect(found('Agent', { runtime: { process: { env } } })).toMatchInlineSnapshot(`
    [
      "SW_BAD_VALUE /spec/runtime/process/env/0: runtime.process.env[0] has value and secretRef (give exactly one of: value or secretRef)",
      "SW_MISSING_FIELD /spec/runtime/process/env/1: runtime.process.env[1] has neither value nor secretRef (give exactly one of: value or secretRef)",
      "SW_BAD_VALUE /spec/runtime/process/env/2: runtime.process.env[2]: names beginning with STATEWARD_ are set by Stateward itself (use another name)",
    ]
  `)
})

test('rules in CEL are evaluated on the spec', () => {
  expect(found('Source', { url: 'https://git.example.com/state.git', path: '.' })).toMatchInlineSnapshot(`
    [
      "SW_BAD_VALUE /spec: spec: url and path exclude each other (leave one of the two out)",
    ]
  `)
  expect(found('Tool', { executor: { builtin: {} } })).toMatchInlineSnapshot(`
    [
      "SW_BAD_VALUE /spec/executor: executor: a built-in tool is part of Stateward and cannot be declared (give executor.command, executor.http or executor.mcp, or leave the document out)",
    ]
  `)
})

test('money is a number or a decimal text with at most nine decimals', () => {
  const budget = (maxUsd: unknown) =>
    validateSpec('Budget', { scopeRef: { kind: 'Project', name: 'p' }, maxUsd }).map(({ code }) => code)
  for (const amount of [0, 1.5, '0.000000150', '25']) expect(budget(amount), String(amount)).toEqual([])
  for (const amount of [-1, '1.0000000001', '1e3', 'free', true])
    expect(budget(amount), String(amount)).toEqual(['SW_BAD_VALUE'])
})

test('a template may give the command, but what runs has to have one', () => {
  expect(validateSpec('Agent', {})).toEqual([])
  expect(validateMerged('Agent', fillDefaults('Agent', {})).map(({ message }) => message)).toEqual([
    'spec.runtime is missing',
  ])
  expect(
    validateMerged('Agent', fillDefaults('Agent', { runtime: { process: { mode: 'perTask' } } })).map(
      ({ message }) => message,
    ),
  ).toEqual(['runtime.process.command is missing'])
  expect(validateMerged('Agent', fillDefaults('Agent', { runtime: { process: { command: ['sh'] } } }))).toEqual([])
})

test('defaults fill what is absent: nested, in items, and never a field that a kind of step does not have', () => {
  expect(fillDefaults('Agent', { heartbeat: { interval: '10s' }, runtime: { process: { command: ['sh'] } } })).toEqual({
    heartbeat: { interval: '10s', timeout: '90s' },
    runtime: { process: { command: ['sh'], mode: 'daemon', stdin: 'json' } },
    resources: { slots: 1 },
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    keepWorkspace: false,
    replicas: 1,
    suspend: false,
    deletionPolicy: 'Delete',
  })
  const plan = [
    { id: 'ask', kind: 'agent_task', agent: 'sre', prompt: 'x' },
    { id: 'approve', kind: 'gate', mode: 'manual' },
  ]
  expect(fillDefaults('Blueprint', { plan })['plan']).toEqual([
    { ...plan[0], keepWorkspace: false },
    { ...plan[1], min: 1, selfApproval: 'allow' },
  ])
})

test('metadata: a name is a DNS-1123 subdomain, a cluster-scoped kind has no namespace', () => {
  expect(validateMetadata({ name: 'a-b.c', namespace: 'prod', labels: { 'team/x': 'Y_1' } }, 'Namespaced')).toEqual([])
  expect(validateMetadata({ name: 'local', namespace: 'prod' }, 'Cluster')).toEqual([
    expect.objectContaining({ pointer: '/metadata/namespace' }),
  ])
  for (const name of ['Sre', 'a_b', '-a', 'a-', 'a..b', 'a'.repeat(64), ''])
    expect(validateMetadata({ name }, 'Namespaced'), name).not.toEqual([])
  expect(validateMetadata(undefined, 'Namespaced')).toEqual([
    expect.objectContaining({ code: 'SW_WRONG_TYPE', pointer: '/metadata' }),
  ])
  expect(validateMetadata({}, 'Namespaced')).toEqual([
    expect.objectContaining({ code: 'SW_MISSING_FIELD', message: 'metadata.name is missing' }),
  ])
  expect(validateMetadata({ name: 'a', generateName: 'x' }, 'Namespaced')).toEqual([
    expect.objectContaining({ code: 'SW_UNKNOWN_FIELD' }),
  ])
})

test('metadata: labels and our own annotations are checked, annotations of others are not', () => {
  const codes = (metadata: object) =>
    validateMetadata({ name: 'a', ...metadata }, 'Namespaced').map(
      ({ code, pointer, severity }) => `${code} ${pointer} ${severity ?? 'error'}`,
    )
  expect(codes({ labels: { 'a b': 'c', ok: 'c d' } })).toEqual([
    'SW_BAD_VALUE /metadata/labels/a b error',
    'SW_BAD_VALUE /metadata/labels/ok error',
  ])
  expect(codes({ annotations: { 'example.com/x': 'anything at all', 'stateward.dev/prune': 'disabled' } })).toEqual([])
  expect(codes({ annotations: { 'stateward.dev/prune': 'no' } })).toEqual([
    'SW_BAD_VALUE /metadata/annotations/stateward.dev~1prune error',
  ])
  expect(codes({ annotations: { 'stateward.dev/allow-secret': '0123456789ab, 0123456789ac' } })).toEqual([])
  for (const act of ['suspend', 'approve', 'reject'])
    expect(codes({ annotations: { [`stateward.dev/${act}`]: 'true' } })).toEqual([
      `SW_BAD_VALUE /metadata/annotations/stateward.dev~1${act} error`,
    ])
  expect(codes({ annotations: { 'stateward.dev/allow-secret': 'yes' } })).toEqual([
    'SW_BAD_VALUE /metadata/annotations/stateward.dev~1allow-secret error',
  ])
  expect(codes({ annotations: { 'stateward.dev/pruned': 'x', '/': 'x' } })).toEqual([
    'SW_UNKNOWN_FIELD /metadata/annotations/stateward.dev~1pruned warning',
    'SW_BAD_VALUE /metadata/annotations/~1 error',
  ])
  expect(codes({ annotations: { big: 'x'.repeat(200_000), bigger: 'x'.repeat(100_000) } })).toEqual([
    'SW_BAD_VALUE /metadata/annotations error',
  ])
})

test('a flat blueprint of the first format is checked in its own words', () => {
  const blueprint = {
    id: 'bp.checkmk.auto_remediate',
    name: 'Checkmk Alert Auto-Remediation',
    trigger: { event_type: 'checkmk.alert' },
    inputs: [{ name: 'host' }, { name: 'service' }],
    plan: [
      {
        kind: 'agent_task',
        id: 'analyze',
        agent: 'openai',
        model: 'gpt-5',
        prompt: 'Analyze alert and suggest remediation plan',
      },
      { kind: 'gate', id: 'approve', mode: 'manual' },
      { kind: 'action_task', id: 'run_fix', action: 'ssh.run', with: { host: '{{inputs.host}}', cmd: '...' } },
    ],
    outputs: [{ name: 'summary' }],
  }
  expect(validateBlueprintV0(blueprint)).toEqual([])
  expect(
    validateBlueprintV0({ ...blueprint, trigger: {}, plan: [{ kind: 'gate', id: 'approve', prompt: 'x' }] }).map(
      ({ code, pointer, message }) => `${code} ${pointer}: ${message}`,
    ),
  ).toMatchInlineSnapshot(`
    [
      "SW_MISSING_FIELD /trigger: trigger.event_type is missing",
      "SW_UNKNOWN_FIELD /plan/0/prompt: plan[0] is a gate, which has no field prompt",
      "SW_MISSING_FIELD /plan/0: plan[0].mode is missing: a gate needs it",
    ]
  `)
})
