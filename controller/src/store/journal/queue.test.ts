import { describe, expect, it } from 'vitest'
import type { Json } from '../../lib/json.ts'
import { JournalQueue } from './queue.ts'
import type { Transition } from './rows.ts'

function transition(run_id: string, output: Json = null): Transition {
  return {
    run_id,
    run: null,
    steps: [
      {
        run_id,
        path: 's',
        attempt: 1,
        step_id: run_id,
        kind: 'transform',
        status: 'completed',
        inputs: null,
        outputs: output,
        error: null,
        condition: null,
        started_at: null,
        completed_at: null,
        next_attempt_at: null,
      },
    ],
    gates: [],
    effects: [],
    tasks: [],
    taskCancels: [],
    waits: [],
    waitEnds: [],
    consumed: [],
    events: [],
  }
}

function queueWith(limits: { transitions?: number; bytes?: number } = {}) {
  const refused: string[] = []
  const rejected: string[] = []
  const queue = new JournalQueue({ transitions: 3, bytes: 10_000, transitionBytes: 1000, ...limits }, (run) =>
    refused.push(run),
  )
  const push = (run: string, output?: Json) =>
    queue.push({ transition: transition(run, output), resolve: () => {}, reject: () => rejected.push(run) })
  return { queue, push, refused, rejected }
}

const runsOf = (entries: readonly { rows: { runId: string } }[]) => entries.map(({ rows }) => rows.runId)

describe('the queue of the journal', () => {
  it('gives batches in the order of arrival, also what had to wait outside', () => {
    const { queue, push } = queueWith()
    for (const run of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) push(run)
    expect(queue.isFull).toBe(true)
    expect(runsOf(queue.take())).toEqual(['a', 'b', 'c'])
    expect(runsOf(queue.take())).toEqual(['d', 'e', 'f'])
    expect(runsOf(queue.take())).toEqual(['g'])
    expect(queue.isEmpty).toBe(true)
    expect(queue.isFull).toBe(false)
  })

  it('is full by weight as well', () => {
    const { queue, push } = queueWith({ transitions: 100, bytes: 900 })
    push('a', 'x'.repeat(500))
    expect(queue.isFull).toBe(false)
    push('b', 'x'.repeat(500))
    expect(queue.isFull).toBe(true)
  })

  it('rejects what is too heavy together with what its run has queued', () => {
    const { queue, push, refused, rejected } = queueWith()
    push('a')
    push('b')
    push('a', 'x'.repeat(2000))
    expect(refused).toEqual(['a'])
    expect(rejected).toEqual(['a', 'a'])
    expect(runsOf(queue.take())).toEqual(['b'])
  })

  it('rejects what cannot be serialised, which would only throw later', () => {
    const { push, rejected } = queueWith()
    push('a', 1n as unknown as Json)
    expect(rejected).toEqual(['a'])
  })

  it('takes out all of one run, inside and outside, and nothing else', () => {
    const { queue, push } = queueWith()
    for (const run of ['a', 'b', 'a', 'a', 'c']) push(run)
    expect(queue.removeRun('a')).toHaveLength(3)
    expect(runsOf(queue.take())).toEqual(['b'])
    expect(runsOf(queue.take())).toEqual(['c'])
  })
})
