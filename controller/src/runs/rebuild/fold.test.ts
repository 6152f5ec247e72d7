import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../lib/json.ts'
import type { LoggedEvent } from '../../store/ports.ts'
import { compareRun } from './compare.ts'
import { rebuildRun } from './fold.ts'

const RUN = '01900000-0000-7000-8000-0000000000a1'
const STEP = '01900000-0000-7000-8000-0000000000a2'
const ALERT = '01900000-0000-7000-8000-0000000000a3'

let seq = 0
function event(name: string, data: JsonObject, more: Partial<LoggedEvent> = {}): LoggedEvent {
  seq += 1
  return {
    seq,
    event_id: STEP,
    event_name: name,
    occurred_at: new Date(Date.UTC(2030, 0, 1, 0, 0, seq)).toISOString(),
    env_id: 'default',
    actor: 'user:ada',
    correlation_id: 'c',
    run_id: RUN,
    step_id: null,
    resource: null,
    data,
    ...more,
  }
}

const created = event('stateward.run.created', {
  run: 'r-1',
  namespace: 'default',
  blueprint: 'r',
  blueprint_uid: STEP,
  revision: 'abc',
  plan_digest: 'd',
  trigger: 'event:alert',
  trigger_event: ALERT,
  dedupe_key: null,
  priority: 3,
  inputs: { host: 'web-1' },
})
const alert = event('checkmk.alert', { host: 'web-1' }, { event_id: ALERT, actor: 'system:checkmk', run_id: null })
const named = { run: 'r-1', step: 'a', kind: 'transform', attempt: 1 }
const completed = event(
  'stateward.run.step.completed',
  { ...named, output_digest: 'x', output_bytes: 40_000 },
  { step_id: STEP },
)

describe('rows from events', () => {
  it('hold the event that started the run, as expressions saw it', () => {
    expect(rebuildRun([created], alert)?.run).toMatchObject({
      status: 'created',
      priority: 3,
      trigger_event: ALERT,
      inputs: { value: { host: 'web-1' } },
      event: { id: ALERT, name: 'checkmk.alert', actor: 'system:checkmk', data: { host: 'web-1' } },
    })
  })

  it('are none without the beginning', () => {
    expect(rebuildRun([completed], null)).toBeNull()
  })

  it('take a step that only told its end as begun in the same moment, and a large value as its digest', () => {
    const at = new Date(completed.occurred_at)
    expect(rebuildRun([created, completed], alert)?.steps).toEqual([
      expect.objectContaining({ step_id: STEP, started_at: at, completed_at: at, outputs: { digest: 'x' } }),
    ])
  })

  it('say that neither the run nor its steps are stored', () => {
    const rebuilt = rebuildRun([created, completed], alert)!
    expect(compareRun(rebuilt, { run: null, steps: [] })).toEqual([
      { row: 'run', column: null, stored: null, rebuilt: 'created' },
      { row: 'step a#1', column: null, stored: null, rebuilt: 'completed' },
    ])
  })
})
