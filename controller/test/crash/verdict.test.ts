import { describe, expect, it } from 'vitest'
import type { Records, Run, Story } from './storm/records.ts'
import { verdictOf } from './storm/verdict.ts'
import type { Order } from './storm/workload.ts'

/** A verdict that finds nothing says something only when it would find what is wrong. */

const order: Order = { tag: 'storm-0', blueprint: 'append', by: 'hand', inputs: {}, result: 4 }
const run: Run = {
  run_id: 'r',
  name: 'append-1',
  tag: 'storm-0',
  blueprint: 'append',
  status: 'completed',
  owner: null,
  reason: null,
  result: 4,
  error: null,
}
const told = (name: string, data: Story['data'] = {}, writer = 'w1'): Story => ({
  seq: 0,
  name: `stateward.run.${name}`,
  run_id: 'r',
  data,
  writer,
})
const act = { step: 'act', kind: 'action_task', attempt: 1 }
const story = [
  told('created'),
  told('started'),
  told('step.started', act),
  told('step.completed', act),
  told('completed'),
]
const numbered = (stories: readonly Story[]): Story[] => stories.map((one, seq) => ({ ...one, seq }))
const effect = {
  operation_id: 'r/act/1',
  run_id: 'r',
  path: 'act',
  tool: 'ledger.append',
  idempotent: false,
  state: 'succeeded',
}
const line = { kind: 'once', operation: 'r/act/1' } as const
const good: Records = {
  runs: [run],
  effects: [effect],
  gates: [],
  stories: numbered(story),
  lines: [line],
  openTasks: [],
  ghosts: [],
  batches: 1,
  writers: 1,
}
const gate = { step_id: 's', run_id: 'r', path: 'act', mode: 'quarantine', state: 'waiting' }
const among = (records: Partial<Records>) => verdictOf([order], { ...good, ...records })

describe('the verdict on a storm', () => {
  it('is silent when all is well', () => {
    expect(among({})).toEqual([])
    const waiting = { ...run, status: 'running', result: null }
    const unknown = { ...effect, state: 'quarantined' }
    const stories = numbered(story.slice(0, 3))
    for (const lines of [[], [line]])
      expect(among({ runs: [waiting], effects: [unknown], gates: [gate], stories, lines })).toEqual([])
  })

  it.each<[string, Partial<Records>]>([
    ['a run that is lost', { runs: [] }],
    ['a request that was served twice', { runs: [run, { ...run, run_id: 'q' }] }],
    ['a run that does not move', { runs: [{ ...run, status: 'running' }], stories: numbered(story.slice(0, 3)) }],
    ['a run that has ended and still has an owner', { runs: [{ ...run, owner: 'w1' }] }],
    [
      'a run that failed for no reason',
      { runs: [{ ...run, status: 'failed', error: { code: 'internal', message: '' } }] },
    ],
    ['a gate that waits for a run that has ended', { gates: [gate] }],
    ['a wrong result', { runs: [{ ...run, result: 5 }] }],
    ['an effect that was repeated', { lines: [line, line] }],
    ['an effect that is recorded and never took place', { lines: [] }],
    ['an effect without an intent', { effects: [] }],
    ['an intent without an outcome', { effects: [{ ...effect, state: 'intent' }] }],
    [
      'a further attempt that nobody asked for',
      { effects: [effect, { ...effect, operation_id: 'r/act/2' }], lines: [line, { ...line, operation: 'r/act/2' }] },
    ],
    ['a step that was completed twice', { stories: numbered([...story, told('step.completed', act)]) }],
    ['a run that ended twice', { stories: numbered([...story, told('failed')]) }],
    [
      'a run that two owners moved at once',
      {
        stories: numbered([
          ...story.slice(0, 3),
          told('step.completed', { step: 'other', kind: 'transform' }, 'w2'),
          ...story.slice(3),
        ]),
      },
    ],
    ['a task that nobody works on', { openTasks: [{ task_id: 't', run_id: 'r', status: 'leased' }] }],
    ['an instance without a process', { ghosts: ['sre 1, pid 2'] }],
  ])('finds %s', (_what, records) => {
    expect(among(records)).not.toEqual([])
  })

  it('knows a second effect that a person asked for, and a run that went on with another owner', () => {
    const retried = told('step.retried', { ...act, error: { code: 'effect_unknown' } })
    const stories = numbered([...story.slice(0, 3), retried, ...story.slice(2)])
    const effects = [
      { ...effect, state: 'quarantined' },
      { ...effect, operation_id: 'r/act/2' },
    ]
    expect(among({ stories, effects, lines: [line, { ...line, operation: 'r/act/2' }] })).toEqual([])
    const inherited = story.map((one, index) => (index < 3 ? one : { ...one, writer: 'w2' }))
    expect(among({ stories: numbered(inherited) })).toEqual([])
  })
})
