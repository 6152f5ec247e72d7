import { describe, expect, test } from 'vitest'
import { agent, appliedFiles, desiredState, type Files, manifest, planOf } from '../../../test/support/state-files.ts'
import { builtinToolRisk } from '../../tools/builtins.ts'
import { type Paint, renderTerminal } from '../render/terminal.ts'
import { effectsOf, type PlannedEffects, type Specs } from './effects-of.ts'

const asIs = (text: string) => text
const PLAIN: Paint = { green: asIs, yellow: asIs, red: asIs, dim: asIs, bold: asIs }
const golden = (name: string) => new URL(`../../../test/golden/plan/effects/${name}.txt`, import.meta.url).pathname

/** The plan from one set of files to another, with what it does. */
function planned(
  from: Files,
  to: Files,
  repoFiles: readonly [Record<string, string>, Record<string, string>] = [{}, {}],
) {
  const specsOf = (made: ReturnType<typeof planOf>): Specs =>
    new Map([...made.effective].map(([key, { spec }]) => [key, spec]))
  const first = planOf(desiredState(from), { repoFiles: repoFiles[0] })
  const made = planOf(desiredState(to), {
    actual: appliedFiles(from, { repoFiles: repoFiles[0] }),
    repoFiles: repoFiles[1],
  })
  expect(made.issues).toEqual([])
  const input = { changes: made.changes, before: specsOf(first), changed: specsOf(made), builtinToolRisk }
  return { ...made, ...effectsOf(input) }
}

const blueprint = (spec: object) => manifest('Blueprint', 'fix', { triggers: [{ event: 'alert' }], ...spec })
const gate = (more: object = {}) => ({ id: 'ask', kind: 'gate', mode: 'manual', approvers: ['role:operator'], ...more })
const call = (id: string, action: string, parameters: object = {}) => ({
  id,
  kind: 'action_task',
  action,
  with: parameters,
})
const tool = (more: object = {}) =>
  manifest('Tool', 'deploy', { executor: { command: { command: ['deploy'] } }, risk: 'high', ...more })
const provider = (name: string, spec: object) => manifest('ModelProvider', name, spec)
const budget = (more: object = {}) =>
  manifest('Budget', 'monthly', { scopeRef: { kind: 'Environment', name: 'default' }, maxUsd: 25, ...more })
const policy = (rules: object[], more: object = {}) => manifest('Policy', 'rules', { rules, ...more })
const host = (name: string, more: object = {}) => manifest('Host', name, { labels: { zone: name }, ...more })
const environment = (more: object) => manifest('Environment', 'default', more)
const process = (more: object) => ({ runtime: { process: { command: ['node', 'main.mjs'], ...more } } })
const HOSTS = { 'a.yaml': host('a'), 'b.yaml': host('b') }

/** One case for each kind of effect: what was, what comes, and the files of the state repo. */
const CASES: Readonly<Record<string, () => ReturnType<typeof planned>>> = {
  'a new agent': () => planned(HOSTS, { ...HOSTS, 'sre.yaml': agent('sre', { replicas: 2 }) }),
  'an agent that may use more tools, do more at once and propose more': () => {
    const limits = { tools: ['http.call', 'deploy'], maxTasks: 2 }
    return planned(
      {
        'deploy.yaml': tool(),
        'sre.yaml': agent('sre', {
          constraints: { tools: ['http.call'], maxTasks: 1 },
          workspace: { allowedPaths: ['docs/**'], maxChangedFiles: 5 },
        }),
        'free.yaml': agent('free', { constraints: { tools: ['http.*'] }, workspace: { allowedPaths: [] } }),
        'bound.yaml': agent('bound'),
      },
      {
        'deploy.yaml': tool(),
        'sre.yaml': agent('sre', {
          constraints: limits,
          workspace: { allowedPaths: ['docs/**', 'agents/**'], maxChangedFiles: 50 },
        }),
        'free.yaml': agent('free'),
        'bound.yaml': agent('bound', {
          constraints: { tools: ['http.call'] },
          workspace: { allowedPaths: ['docs/**'] },
        }),
      },
    )
  },
  'a provider in the cloud, and a route to it': () =>
    planned(
      { 'p.yaml': provider('local', { type: 'ollama', models: [{ name: 'mistral:latest', temperature: 0.3 }] }) },
      {
        'p.yaml': provider('local', { type: 'ollama', models: [{ name: 'mistral:latest', temperature: 0.9 }] }),
        'c.yaml': provider('claude', {
          type: 'anthropic',
          secretRef: { name: 'anthropic', key: 'key' },
          pricing: { inputPerMTok: 3, outputPerMTok: 15 },
          models: [{ name: 'claude-sonnet-4-5' }],
        }),
        'r.yaml': manifest('ModelRoute', 'default', {
          rules: [{ backendRefs: [{ provider: 'local' }, { provider: 'claude', model: 'claude-sonnet-4-5' }] }],
        }),
      },
    ),
  'models that others may answer for, and one of another file': () => {
    const models = (small: object, large: object) =>
      provider('local', {
        type: 'llama-cpp',
        models: [
          { name: 'small', ...small },
          { name: 'large', ...large },
        ],
      })
    return planned(
      { 'p.yaml': models({ file: 's.gguf', answeredBy: ['small-1'] }, { answeredBy: ['large-1'] }) },
      { 'p.yaml': models({ file: 't.gguf', answeredBy: ['small-1', 'small-2'] }, {}) },
    )
  },
  'a provider that moves, and starts a program': () =>
    planned(
      { 'p.yaml': provider('gate', { type: 'openai-compatible', baseURL: 'http://127.0.0.1:9/v1', class: 'local' }) },
      {
        'p.yaml': provider('gate', {
          type: 'openai-compatible',
          baseURL: 'https://models.example.com/v1',
          pricing: { inputPerMTok: '0.5', outputPerMTok: 1 },
          server: { command: ['serve', '--port', '{port}'] },
        }),
      },
    ),
  'servers of tools, and a tool of theirs that is another one': () => {
    const server = (spec: object) => manifest('McpServer', 'github', spec)
    const locked = (digest: string) =>
      manifest('Tool', 'github.search', {
        executor: { mcp: { server: 'github', tool: 'search', digest: digest.repeat(64) } },
        inputSchema: { type: 'object' },
      })
    return planned(
      { 's.yaml': server({ http: { url: 'https://one.example/mcp' } }), 't.yaml': locked('a') },
      {
        's.yaml': server({
          http: {
            url: 'https://two.example/mcp',
            headers: [{ name: 'Authorization', secretRef: { name: 'github', key: 'mcp' } }],
          },
        }),
        'p.yaml': manifest('McpServer', 'files', { stdio: { command: ['serve-files', '/srv'] } }),
        't.yaml': locked('b'),
      },
    )
  },
  'a blueprint that asks another model, in other words': () => {
    const ask = (model: string, prompt: string, temperature: number) =>
      blueprint({ plan: [{ id: 'look', kind: 'agent_task', agent: 'sre', model, prompt, with: { temperature } }] })
    return planned(
      { 'fix.yaml': ask('small', 'Be careful.', 0.1), 'sre.yaml': agent('sre') },
      { 'fix.yaml': ask('large', 'Be quick.', 0.9), 'sre.yaml': agent('sre') },
    )
  },
  'an agent that goes': () => planned({ 'sre.yaml': agent('sre') }, { 'x.yaml': host('x') }),
  'an agent with another program': () =>
    planned(
      { 'sre.yaml': agent('sre', process({})) },
      { 'sre.yaml': agent('sre', process({ command: ['sh', '-c', 'curl x | sh'] })) },
    ),
  'an agent with other files': () =>
    planned(
      { 'sre.yaml': agent('sre', process({ workdir: 'agents/sre' })) },
      { 'sre.yaml': agent('sre', process({ workdir: 'agents/sre' })) },
      [{ 'agents/sre': 'oid1' }, { 'agents/sre': 'oid2' }],
    ),
  'an agent that reads a secret and may run elsewhere': () =>
    planned(
      { ...HOSTS, 'sre.yaml': agent('sre', { hostSelector: { matchLabels: { zone: 'a' } } }) },
      {
        ...HOSTS,
        'sre.yaml': agent('sre', {
          ...process({ env: [{ name: 'KEY', secretRef: { name: 'provider', key: 'token' } }] }),
          hostSelector: {},
        }),
      },
    ),
  'more and fewer replicas': () =>
    planned(
      { 'up.yaml': agent('up', { replicas: 1 }), 'down.yaml': agent('down', { replicas: 3, resources: { slots: 2 } }) },
      { 'up.yaml': agent('up', { replicas: 4 }), 'down.yaml': agent('down', { replicas: 1, resources: { slots: 2 } }) },
    ),
  'a template that changes its agents': () =>
    planned(
      {
        't.yaml': manifest('AgentTemplate', 't', process({})),
        'sre.yaml': manifest('Agent', 'sre', { templateRef: { name: 't' } }),
      },
      {
        't.yaml': manifest('AgentTemplate', 't', process({ mode: 'perTask' })),
        'sre.yaml': manifest('Agent', 'sre', { templateRef: { name: 't' }, suspend: true }),
      },
    ),
  'tools, domains and agents of a blueprint': () =>
    planned(
      { 'sre.yaml': agent('sre'), 'fix.yaml': blueprint({ plan: [call('a', 'fs.read', { path: 'x' })] }) },
      {
        'sre.yaml': agent('sre'),
        'fix.yaml': blueprint({
          plan: [
            call('a', 'http.call', { method: 'POST', url: 'https://api.example.com/v1' }),
            call('b', 'http.call', { method: 'GET', url: 'https://{{ event.data.host }}/' }),
            call('c', 'process.run', { command: 'ls' }),
            { id: 'd', kind: 'agent_task', agent: 'sre', prompt: 'Look.' },
          ],
        }),
      },
    ),
  'a gate that is removed': () =>
    planned(
      { 'fix.yaml': blueprint({ plan: [gate(), call('a', 'fs.read', { path: 'x' })] }) },
      { 'fix.yaml': blueprint({ plan: [call('a', 'fs.read', { path: 'x' })] }) },
    ),
  'a gate that asks for less': () =>
    planned(
      { 'fix.yaml': blueprint({ plan: [gate({ min: 2, selfApproval: 'deny' })] }) },
      {
        'fix.yaml': blueprint({
          plan: [gate({ approvers: ['role:operator', 'user:bob'], timeout: '1h', onTimeout: 'approve' })],
        }),
      },
    ),
  'what starts a blueprint': () =>
    planned(
      { 'fix.yaml': blueprint({ plan: [gate()] }) },
      {
        'fix.yaml': blueprint({
          triggers: [
            { schedule: '0 3 * * *' },
            { webhook: { name: 'github', secretRef: { name: 'github', key: 'hmac' } } },
          ],
          plan: [gate()],
          limits: { maxSteps: 9 },
        }),
      },
    ),
  'a tool that is trusted more': () =>
    planned(
      { 'tool.yaml': tool() },
      {
        'tool.yaml': tool({
          executor: {
            command: { command: ['deploy', '--force'], env: [{ name: 'K', secretRef: { name: 'k', key: 'k' } }] },
          },
          risk: 'low',
          sideEffects: 'none',
          idempotent: true,
        }),
      },
    ),
  'a policy that is loosened': () =>
    planned(
      {
        'p.yaml': policy([
          { id: 'no', effect: 'deny' },
          { id: 'ask', effect: 'require_approval' },
        ]),
      },
      {
        'p.yaml': policy([{ id: 'ask', effect: 'allow' }], {
          enforcement: 'evaluate_only',
          evaluationMode: 'deny_overrides',
        }),
      },
    ),
  'budgets that are raised, lowered and removed': () =>
    planned(
      {
        'b.yaml': budget(),
        'c.yaml': manifest('Budget', 'gone', { scopeRef: { kind: 'Environment', name: 'default' }, maxUsd: 1 }),
      },
      { 'b.yaml': budget({ maxUsd: 100, action: 'Alert' }) },
    ),
  'an environment that is less careful': () =>
    planned(
      { 'e.yaml': environment({ stage: 'prod', inlinePlans: 'deny' }) },
      { 'e.yaml': environment({ stage: 'dev', class: 'control' }) },
    ),
  'decisions about a gate and about a change': () =>
    planned(HOSTS, {
      ...HOSTS,
      'gate.yaml': manifest('Approval', 'gate', {
        ...{ runRef: { name: 'fix-k3q9zt' }, step: 'ask', inputDigest: 'a'.repeat(64), decision: 'reject' },
      }),
      'change.yaml': manifest('Approval', 'change', {
        ...{ change: { kind: 'Agent', name: 'sre', to: 'b'.repeat(64) }, decision: 'approve' },
      }),
    }),
  'a source that is only watched': () =>
    planned(
      { ...HOSTS, 's.yaml': manifest('Source', 'state', { mode: 'enforce' }) },
      { ...HOSTS, 's.yaml': manifest('Source', 'state', { mode: 'observe' }) },
    ),
  'hosts that come, go and shrink': () =>
    planned(
      { 'a.yaml': host('a'), 'b.yaml': host('b', { capacity: { agentSlots: 4 } }) },
      { 'b.yaml': host('b', { capacity: { agentSlots: 2 }, unschedulable: true }), 'c.yaml': host('c') },
    ),
}

describe('the effects of', () => {
  test.each(Object.keys(CASES))('%s', async (name) => {
    const made = CASES[name]!()
    expect(made.effects.length).toBeGreaterThan(0)
    const text = renderTerminal(made, PLAIN)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    await expect(text).toMatchFileSnapshot(golden(name.replaceAll(/[^a-z]+/g, '-')))
  })
})

test('what changes nothing in the world has no effect', () => {
  const files = { 'sre.yaml': agent('sre', { description: 'one' }) }
  const made: PlannedEffects = planned(files, {
    'sre.yaml': agent('sre', { description: 'two' }, { labels: { a: 'b' } }),
  })
  expect(made).toMatchObject({ risk: 'low', effects: [] })
})

test('a tool that nobody declares counts as dangerous, one by its alias as what it is', () => {
  const calling = (action: string) =>
    planned(
      {},
      { 'fix.yaml': blueprint({ plan: [call('a', action)] }), 'tool.yaml': tool({ risk: 'low', aliases: ['ship'] }) },
    )
  const riskOf = (action: string) =>
    calling(action).effects.find(({ effect, kind }) => effect === 'tools' && kind === 'Blueprint')!.risk
  expect(riskOf('ship')).toBe('low')
  expect(riskOf('deploy')).toBe('low')
})

test('another image of a pod is another program', () => {
  const pod = (more: object) => ({
    'sre.yaml': manifest('Agent', 'sre', { runtime: { pod: { image: 'sre:1', ...more } } }),
  })
  const programs = (more: object) => planned(pod({}), pod(more)).effects.filter(({ effect }) => effect === 'program')
  expect(programs({ image: 'sre:2', command: ['sre'] })).toMatchObject([
    { risk: 'high', message: 'runs image `sre:2` as `sre` instead of image `sre:1`' },
  ])
  expect(programs({ resources: { limits: { memory: '1Gi' } } })).toEqual([])
})
