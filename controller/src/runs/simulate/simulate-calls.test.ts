import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PlannedCall, simulateCalls } from './simulate-calls.ts'

const call = (skill: string, tool: Partial<PlannedCall['tool']>, parameters: PlannedCall['parameters'] = {}) => ({
  step: `step_${skill}`,
  skill,
  parameters,
  tool: { risk: 'low' as const, sideEffects: 'none' as const, idempotent: true, ...tool },
})
const HTTP = call('http_call', { estimatedCents: 0, estimatedLatencyMs: 500 })
const LLM = call('llm_invoke', { estimatedCents: 5, estimatedLatencyMs: 2000 })

describe('a simulated plan', () => {
  it('costs what its tools declare, one call after the other', () => {
    expect(simulateCalls([HTTP, LLM], 100)).toEqual({
      feasible: true,
      estimated_cost_cents: 5,
      estimated_duration_ms: 2500,
      step_estimates: [
        { skill_id: 'http_call', estimated_cost_cents: 0, estimated_latency_ms: 500 },
        { skill_id: 'llm_invoke', estimated_cost_cents: 5, estimated_latency_ms: 2000 },
      ],
      budget_remaining_cents: 95,
      budget_sufficient: true,
      risks: [],
    })
  })

  it('is not feasible when the budget is too small, and says so as a risk', () => {
    const simulated = simulateCalls([LLM, LLM], 9)
    expect(simulated).toMatchObject({ feasible: false, budget_sufficient: false, budget_remaining_cents: -1 })
    expect(simulated.risks).toMatchObject([{ code: 'over_budget', severity: 'high', step: null }])
    expect(simulateCalls([LLM], null)).toMatchObject({ feasible: true, budget_remaining_cents: null })
    expect(simulateCalls([LLM], 5)).toMatchObject({ feasible: true, budget_remaining_cents: 0 })
  })

  it('names calls that can do harm, by what they are given', () => {
    const get = (parameters: PlannedCall['parameters']) =>
      call(
        'http',
        {
          sideEffects: 'irreversible',
          idempotent: false,
          idempotentFor: ({ method = 'GET' }) => method === 'GET',
        },
        parameters,
      )
    const codes = (one: PlannedCall) => simulateCalls([one], null).risks.map((risk) => risk.code)
    expect(codes(get({ method: 'GET' }))).toEqual([])
    expect(codes(get({ method: 'POST' }))).toEqual(['irreversible'])
    expect(codes(get(null))).toEqual(['irreversible'])
    expect(codes(call('rm', { risk: 'high', sideEffects: 'irreversible', idempotent: false }))).toEqual([
      'high_risk',
      'irreversible',
    ])
  })

  it('adds up whatever the plan', () => {
    const calls = fc.array(fc.record({ cents: fc.nat(1000), ms: fc.nat(10_000) }), { maxLength: 50 })
    fc.assert(
      fc.property(calls, fc.option(fc.nat(20_000)), (each, budget) => {
        const simulated = simulateCalls(
          each.map(({ cents, ms }) => call('x', { estimatedCents: cents, estimatedLatencyMs: ms })),
          budget,
        )
        const cost = each.reduce((total, { cents }) => total + cents, 0)
        expect(simulated.estimated_cost_cents).toBe(cost)
        expect(simulated.feasible).toBe(budget === null || cost <= budget)
        expect(simulated.budget_remaining_cents).toBe(budget === null ? null : budget - cost)
      }),
    )
  })
})
