import { describe, expect, it } from 'vitest'
import type { CompiledPlan, CompiledStep } from '../../../blueprints/compiled-plan.ts'
import type { RunReadRow, StepReadRow } from '../../../store/queries/runs-read.ts'
import { runGraph } from './run-graph.ts'

const RUN = '01900000-0000-7000-8000-000000000001'
const base = { if: null, timeoutMs: null, place: null }
const transform = (id: string, waitsFor: string[] = []): CompiledStep => ({
  ...{ ...base, id, name: id, waitsFor },
  kind: 'transform',
  expression: 'inputs.x',
})
const loop = (id: string, steps: CompiledStep[], waitsFor: string[] = []): CompiledStep => ({
  ...{ ...base, id, name: id, waitsFor, kind: 'foreach', items: 'inputs.hosts', as: 'item' },
  ...{ concurrency: 2, maxIterations: 100, steps, result: steps[0]!.id },
})
const call = (id: string, steps: CompiledStep[]): CompiledStep => ({
  ...{ ...base, id, name: id, waitsFor: [], kind: 'blueprint', ref: 'other', inputs: {} },
  plan: { inputs: [], steps, outputs: [], digest: 'd' },
})
const plan = (...steps: CompiledStep[]) => ({ format: 1, steps }) as unknown as CompiledPlan
const run = (status: RunReadRow['status'] = 'running') => ({ run_id: RUN, status }) as RunReadRow
const row = (path: string, status: StepReadRow['status']): StepReadRow => ({
  ...{ step_id: RUN, run_id: RUN, path, attempt: 1, kind: 'transform', status, inputs: null, outputs: null },
  ...{ error: null, condition: null, started_at: new Date(0), completed_at: null, next_attempt_at: null },
})
const paths = (nodes: ReturnType<typeof runGraph>) => nodes.map(({ path }) => path)

describe('the graph of a run', () => {
  it('has a node for each step of the plan, with what it waits for by path', () => {
    const nodes = runGraph(run(), plan(transform('a'), transform('b', ['a'])), [row('a', 'completed')], 12)
    expect(nodes.map(({ path, status, waits_for }) => [path, status, waits_for])).toEqual([
      ['a', 'completed', []],
      ['b', 'created', ['a']],
    ])
  })

  it('shows the body of a loop that has not begun once, and says nothing of it can be read', () => {
    const nodes = runGraph(run(), plan(loop('each', [transform('fix'), transform('check', ['fix'])])), [], 12)
    expect(nodes.map(({ path, container, waits_for }) => [path, container, waits_for])).toEqual([
      ['each', null, []],
      ['each[].fix', 'each', []],
      ['each[].check', 'each', ['each[].fix']],
    ])
    expect(nodes[1]).toMatchObject({ step_id: null, iteration: null, status: 'created' })
    expect(nodes[0]!.iterations).toEqual({ total: 0, shown: 0, running: 0, failed: 0 })
  })

  it('shows of a long loop the iterations that failed or run, in their order', () => {
    const rows = Array.from({ length: 30 }, (_, i) =>
      row(`each[${i}].fix`, i === 21 ? 'failed' : i === 7 ? 'running' : 'completed'),
    )
    const nodes = runGraph(run(), plan(loop('each', [transform('fix')])), rows, 3)
    expect(paths(nodes)).toEqual(['each', 'each[0].fix', 'each[7].fix', 'each[21].fix'])
    expect(nodes[0]).toMatchObject({ iterations: { total: 30, shown: 3, running: 1, failed: 1 }, status: 'running' })
  })

  it('goes into called blueprints and loops inside of them', () => {
    const inner = call('heal', [transform('look'), loop('each', [transform('fix')], ['look'])])
    const nodes = runGraph(run(), plan(inner), [row('heal.each[0].fix', 'running')], 12)
    expect(nodes.map(({ path, container, iteration }) => [path, container, iteration])).toEqual([
      ['heal', null, null],
      ['heal.look', 'heal', null],
      ['heal.each', 'heal', null],
      ['heal.each[0].fix', 'heal.each', 0],
    ])
    expect(nodes[2]!.waits_for).toEqual(['heal.look'])
  })

  it('skips in a run that has ended whatever never began, and is empty without a plan', () => {
    expect(runGraph(run('failed'), plan(transform('a')), [], 12)[0]!.status).toBe('skipped')
    expect(runGraph(run(), null, [row('a', 'completed')], 12)).toEqual([])
  })
})
