import { describe, expect, test } from 'vitest'
import { agent, appliedFiles, desiredState, type Files, manifest, planOf } from '../../../test/support/state-files.ts'
import type { JsonObject } from '../../lib/json.ts'
import { builtinToolRisk } from '../../tools/builtins.ts'
import { governed } from '../approvals/hold.ts'
import { effectsOfPlan } from '../effects/effects-of-plan.ts'
import { planDocument } from '../render/json.ts'
import { renderMarkdown } from '../render/markdown.ts'
import { type Paint, renderTerminal } from '../render/terminal.ts'
import { outlookOfPlan } from './outlook-of-plan.ts'

const asIs = (text: string) => text
const PLAIN: Paint = { green: asIs, yellow: asIs, red: asIs, dim: asIs, bold: asIs }
const golden = (name: string) => new URL(`../../../test/golden/plan/outlook/${name}`, import.meta.url).pathname

type Observed = Readonly<Record<string, JsonObject>>

function planned(from: Files, to: Files, observed: Observed | null) {
  const actual = appliedFiles(from)
  const made = planOf(desiredState(to), { actual })
  expect(made.issues).toEqual([])
  const plan = governed(made, effectsOfPlan(made, actual, builtinToolRisk), null)
  return { ...plan, outlook: outlookOfPlan(plan, actual, observed === null ? null : new Map(Object.entries(observed))) }
}

const open = (...names: string[]): JsonObject => ({ openRuns: { total: names.length, names } })
const spent = (usd: string): JsonObject => ({ lastDays: { until: '2026-11-20T00:00:00.000Z', days: 7, spent: usd } })
const blueprint = (name: string, spec: object) =>
  manifest('Blueprint', name, { triggers: [{ event: 'alert' }], plan: [ask('Look.')], ...spec })
const ask = (prompt: string, more: object = {}) => ({ id: 'look', kind: 'agent_task', agent: 'sre', prompt, ...more })
const asked = (id: string, model: string) => ({ id, kind: 'agent_task', agent: 'openai', model, prompt: 'Look.' })
const budgetOf = (kind: string, name: string, more: object = {}) =>
  manifest('Budget', `for-${name}`, { scopeRef: { kind, name }, maxUsd: 1000, ...more })
const SRE = { 'sre.yaml': agent('sre') }
const PACE: Observed = { 'Budget/default/for-sre': spent('2.80'), 'Budget/default/for-fix': spent('7') }
const price = (input: number, output: number) => ({ pricing: { inputPerMTok: input, outputPerMTok: output } })
const MODELS = {
  'openai.yaml': manifest('ModelProvider', 'openai', {
    type: 'openai',
    models: [
      { name: 'large', ...price(2, 10) },
      { name: 'small', ...price(0.1, 0.5) },
    ],
  }),
  'ollama.yaml': manifest('ModelProvider', 'ollama', { type: 'ollama', models: [{ name: 'tiny' }] }),
  ...Object.fromEntries(['a', 'b', 'c'].map((name) => [`for-${name}.yaml`, budgetOf('Agent', name)])),
}
const thinker = (name: string, model: object, more: object = {}) =>
  manifest('Agent', name, { runtime: { model }, ...more })
const counted = (usd: string, inputTokens: number, outputTokens: number): JsonObject => ({
  lastDays: { until: '2026-11-20T00:00:00.000Z', days: 7, spent: usd, inputTokens, outputTokens },
})
const command = (file: string) => ({ runtime: { process: { command: ['node', file] } } })

const CASES: Readonly<Record<string, () => ReturnType<typeof planned>>> = {
  'a blueprint that changes while runs of it are open': () =>
    planned(
      { ...SRE, 'fix.yaml': blueprint('fix', {}) },
      { ...SRE, 'fix.yaml': blueprint('fix', { plan: [ask('Look twice.')] }) },
      { 'Blueprint/default/fix': { openRuns: { total: 7, names: ['fix-1', 'fix-2', 'fix-3', 'fix-4', 'fix-5'] } } },
    ),
  'a blueprint that goes while runs of it and of its caller are open': () =>
    planned(
      {
        ...SRE,
        'fix.yaml': blueprint('fix', {}),
        'night.yaml': blueprint('night', { plan: [{ id: 'call', kind: 'blueprint', ref: 'fix', inputs: {} }] }),
      },
      { ...SRE, 'night.yaml': blueprint('night', {}) },
      { 'Blueprint/default/fix': open('fix-1'), 'Blueprint/default/night': open('night-1') },
    ),
  'an agent that restarts in the middle of runs': () =>
    planned(
      { 'sre.yaml': agent('sre', command('a.js')), 'fix.yaml': blueprint('fix', {}) },
      { 'sre.yaml': agent('sre', command('b.js')), 'fix.yaml': blueprint('fix', {}) },
      { 'Blueprint/default/fix': open('fix-1') },
    ),
  'an agent that does four times as much': () =>
    planned(
      { 'sre.yaml': agent('sre', { replicas: 1 }), 'budget.yaml': budgetOf('Agent', 'sre') },
      { 'sre.yaml': agent('sre', { replicas: 4 }), 'budget.yaml': budgetOf('Agent', 'sre') },
      PACE,
    ),
  'agents with another program, suspended, new and without a budget': () =>
    planned(
      {
        'sre.yaml': agent('sre', command('a.js')),
        'fix.yaml': agent('fix'),
        'free.yaml': agent('free', { replicas: 2 }),
        'budget.yaml': budgetOf('Agent', 'sre'),
        'other.yaml': budgetOf('Agent', 'fix'),
      },
      {
        'sre.yaml': agent('sre', command('b.js')),
        'fix.yaml': agent('fix', { suspend: true }),
        'free.yaml': agent('free', { replicas: 3 }),
        'new.yaml': agent('new'),
        'budget.yaml': budgetOf('Agent', 'sre'),
        'other.yaml': budgetOf('Agent', 'fix'),
      },
      PACE,
    ),
  'a blueprint that runs more often, and one that asks another model': () =>
    planned(
      {
        ...SRE,
        'fix.yaml': blueprint('fix', { triggers: [{ schedule: '0 3 * * *' }] }),
        'ask.yaml': blueprint('ask', {}),
        'budget.yaml': budgetOf('Blueprint', 'fix'),
      },
      {
        ...SRE,
        'fix.yaml': blueprint('fix', { triggers: [{ schedule: '0 3 * * *' }, { schedule: '* * * * *' }] }),
        'ask.yaml': blueprint('ask', { plan: [ask('Look.', { model: 'large' })] }),
        'budget.yaml': budgetOf('Blueprint', 'fix'),
      },
      PACE,
    ),
  'budgets that are lowered, raised after they were met, removed and new': () =>
    planned(
      {
        ...SRE,
        'a.yaml': budgetOf('Agent', 'low', { scopeRef: { kind: 'Agent', name: 'sre' }, maxUsd: 100 }),
        'b.yaml': budgetOf('Agent', 'met', { scopeRef: { kind: 'Agent', name: 'sre' }, maxUsd: 1, window: 'day' }),
        'c.yaml': budgetOf('Agent', 'gone', { scopeRef: { kind: 'Agent', name: 'sre' }, maxUsd: 50 }),
      },
      {
        ...SRE,
        'a.yaml': budgetOf('Agent', 'low', { scopeRef: { kind: 'Agent', name: 'sre' }, maxUsd: 10 }),
        'b.yaml': budgetOf('Agent', 'met', { scopeRef: { kind: 'Agent', name: 'sre' }, maxUsd: 5, window: 'day' }),
        'd.yaml': budgetOf('Agent', 'new', { scopeRef: { kind: 'Agent', name: 'sre' }, maxUsd: 5 }),
      },
      {
        'Budget/default/for-low': spent('7'),
        'Budget/default/for-met': spent('7'),
        'Budget/default/for-gone': spent('0.70'),
      },
    ),
  'agents that ask other models': () =>
    planned(
      {
        ...MODELS,
        'a.yaml': thinker('a', { provider: 'openai', model: 'large' }),
        'b.yaml': thinker('b', { provider: 'ollama', model: 'tiny' }),
        'c.yaml': thinker('c', { provider: 'openai', model: 'large' }),
      },
      {
        ...MODELS,
        'a.yaml': thinker('a', { provider: 'openai', model: 'small' }),
        'b.yaml': thinker('b', { provider: 'openai', model: 'small' }, { replicas: 2 }),
        'c.yaml': thinker('c', { provider: 'openai', model: 'small', maxTurns: 50 }),
      },
      {
        'Budget/default/for-a': counted('14', 2_000_000, 1_000_000),
        'Budget/default/for-b': counted('0', 7_000_000, 700_000),
        'Budget/default/for-c': counted('14', 2_000_000, 1_000_000),
      },
    ),
  'blueprints whose steps ask other models': () =>
    planned(
      {
        ...MODELS,
        'all.yaml': blueprint('all', { plan: [asked('one', 'large'), asked('two', 'large')] }),
        'some.yaml': blueprint('some', { plan: [asked('one', 'large'), asked('two', 'large')] }),
        'agent.yaml': blueprint('agent', { plan: [ask('Look.', { agent: 'a', model: 'large' })] }),
        'a.yaml': thinker('a', { provider: 'openai', model: 'large' }),
        ...Object.fromEntries(['all', 'some', 'agent'].map((name) => [`b-${name}.yaml`, budgetOf('Blueprint', name)])),
      },
      {
        ...MODELS,
        'all.yaml': blueprint('all', { plan: [asked('one', 'small'), asked('two', 'small')] }),
        'some.yaml': blueprint('some', { plan: [asked('one', 'large'), asked('two', 'small')] }),
        'agent.yaml': blueprint('agent', { plan: [ask('Look.', { agent: 'a', model: 'small' })] }),
        'a.yaml': thinker('a', { provider: 'openai', model: 'large' }),
        ...Object.fromEntries(['all', 'some', 'agent'].map((name) => [`b-${name}.yaml`, budgetOf('Blueprint', name)])),
      },
      {
        'Budget/default/for-all': counted('14', 2_000_000, 1_000_000),
        'Budget/default/for-some': counted('14', 2_000_000, 1_000_000),
        'Budget/default/for-agent': counted('14', 2_000_000, 1_000_000),
      },
    ),
  'a clone that has not fetched what was observed': () =>
    planned({ 'sre.yaml': agent('sre') }, { 'sre.yaml': agent('sre', { replicas: 4 }) }, null),
}

describe('what comes of', () => {
  test.each(Object.keys(CASES))('%s', async (name) => {
    const made = CASES[name]!()
    const file = name.replaceAll(/[^a-z]+/g, '-')
    const text = renderTerminal(made, PLAIN)
    expect(text).toContain('What comes of it')
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    await expect(text).toMatchFileSnapshot(golden(`${file}.txt`))
    await expect(renderMarkdown(made, null)).toMatchFileSnapshot(golden(`${file}.md`))
    await expect(`${JSON.stringify(planDocument(made, null)['outlook'], null, 2)}\n`).toMatchFileSnapshot(
      golden(`${file}.json`),
    )
  })
})

test('what changes neither plan, nor program, nor how often it runs says nothing', () => {
  const files = { 'sre.yaml': agent('sre'), 'fix.yaml': blueprint('fix', {}) }
  const to = {
    'sre.yaml': agent('sre', { description: 'another' }),
    'fix.yaml': blueprint('fix', { description: 'another' }),
  }
  expect(planned(files, to, null).outlook).toEqual({ runs: [], spend: [], unknown: null })
  expect(planned(files, to, { 'Blueprint/default/fix': open('fix-1') }).outlook.runs).toEqual([])
})

test('what comes of a change is no part of its digest', () => {
  const [from, to] = [{ 'sre.yaml': agent('sre') }, { 'sre.yaml': agent('sre', { replicas: 4 }) }]
  expect(planned(from, to, null).digest).toBe(planned(from, to, PACE).digest)
})
