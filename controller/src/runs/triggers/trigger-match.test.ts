import { describe, expect, it } from 'vitest'
import type { CompiledPlan, CompiledTrigger } from '../../blueprints/compiled-plan.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { LoggedEvent } from '../../store/ports.ts'
import type { AcceptedBlueprint } from '../ports.ts'
import { triggeredBy } from './trigger-match.ts'

function blueprint(
  name: string,
  triggers: readonly Partial<CompiledTrigger>[],
  more: Partial<AcceptedBlueprint> = {},
): AcceptedBlueprint {
  const plan: CompiledPlan = {
    format: 1,
    blueprint: { namespace: 'default', name },
    triggers: triggers.map((trigger) => ({
      event: 'a.b',
      filter: null,
      dedupeKey: null,
      dedupeWindowMs: 0,
      webhook: null,
      ...trigger,
    })),
    schedules: [],
    inputs: [
      {
        name: 'host',
        schema: { type: 'string' },
        required: true,
        default: null,
        hasDefault: false,
        from: 'event.data.host',
      },
    ],
    limits: { maxSteps: 200, timeoutMs: 1000, concurrency: null },
    backpressure: null,
    steps: [],
    outputs: [],
  }
  return { uid: name, namespace: 'default', name, plan, digest: 'd', revision: 'r', suspended: false, ...more }
}

const event = (data: JsonObject): LoggedEvent => ({
  seq: 7,
  event_id: 'e-7',
  event_name: 'a.b',
  occurred_at: '2030-01-01T00:00:00.000Z',
  env_id: 'default',
  actor: 'system:x',
  correlation_id: 'c-7',
  run_id: null,
  step_id: null,
  resource: null,
  data,
})
const environmentOf = (id: string) => ({ id, stage: 'dev', autonomy: 'supervised', class: 'product' })

describe('what an event starts', () => {
  it('is one run a trigger of every blueprint, pinned and with the event as its origin', () => {
    const { triggered } = triggeredBy(
      event({ host: 'h' }),
      [blueprint('one', [{}]), blueprint('two', [{}])],
      environmentOf,
    )
    expect(triggered).toMatchObject([
      {
        kind: 'run',
        request: {
          blueprint: { name: 'one' },
          trigger: 'event:a.b',
          inputs: { host: 'h' },
          correlationId: 'c-7',
          envId: 'default',
        },
      },
      { kind: 'run', request: { blueprint: { name: 'two' }, event: { id: 'e-7' } } },
    ])
  })

  it('is one run of a blueprint that names the same event twice, by the first that matches', () => {
    const twice = blueprint('twice', [
      { filter: "event.data.host == 'no'" },
      { dedupeKey: '{{ event.data.host }}' },
      {},
    ])
    const { triggered } = triggeredBy(event({ host: 'h' }), [twice], environmentOf)
    expect(triggered).toMatchObject([{ kind: 'run', request: { dedupeKey: 'h' } }])
  })

  it('is nothing for a suspended blueprint, another name or a filter that says no', () => {
    const none = [
      blueprint('off', [{}], { suspended: true }),
      blueprint('other', [{ event: 'a.c' }]),
      blueprint('no', [{ filter: 'false' }]),
    ]
    expect(triggeredBy(event({ host: 'h' }), none, environmentOf)).toEqual({ triggered: [], notes: [] })
  })

  it('is a note when the filter reads a key that is not there', () => {
    const { triggered, notes } = triggeredBy(
      event({}),
      [blueprint('missing', [{ filter: "event.data.state == 'x'" }])],
      environmentOf,
    )
    expect(triggered).toEqual([])
    expect(notes).toMatchObject([
      { blueprint: { name: 'missing' }, missingKey: expect.stringContaining('state'), error: null },
    ])
  })

  it('is a refusal with every problem when no run can be made of it', () => {
    const { triggered } = triggeredBy(event({ host: 5 }), [blueprint('strict', [{}])], environmentOf)
    expect(triggered).toMatchObject([{ kind: 'refused', blueprint: { name: 'strict' }, problems: [{ name: 'host' }] }])
  })
})
