import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../lib/json.ts'
import type { TaskRow } from '../store/queries/tasks.ts'
import { redactor } from './redaction.ts'
import { messageOf, outcomeOf, stdinOf } from './task-command.ts'
import { completed, failed, sameOutcome } from './task-outcome.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const redact = redactor(['top-secret'])

function outcome(
  result: { exitCode?: number; output?: string | Uint8Array; log?: string },
  schema: JsonObject | null = null,
  maxOutputBytes = 1024,
) {
  const output =
    typeof result.output === 'string' || result.output === undefined ? bytes(result.output ?? '') : result.output
  return outcomeOf(
    {
      exitCode: result.exitCode ?? 0,
      output: output.subarray(0, maxOutputBytes),
      outputBytes: output.length,
      log: result.log ?? '',
    },
    { schema, maxOutputBytes, redact },
  )
}

describe('what a command printed', () => {
  test('is the output when it is a JSON object or array', () => {
    expect(outcome({ output: '{"a":1}\n' })).toEqual({ status: 'completed', output: { a: 1 }, sanitized: false })
    expect(outcome({ output: '[1]' })).toMatchObject({ output: [1] })
  })

  test('becomes a text otherwise, without its last line feed', () => {
    expect(outcome({ output: 'done\n' })).toMatchObject({ output: { text: 'done' } })
    expect(outcome({ output: '42' })).toMatchObject({ output: { text: '42' } })
    expect(outcome({ output: '' })).toMatchObject({ output: { text: '' } })
  })

  test('has to fit the schema of the step', () => {
    const schema = { type: 'object', required: ['severity'], properties: { severity: { type: 'string' } } }
    expect(outcome({ output: '{"severity":"low"}' }, schema)).toMatchObject({ status: 'completed' })
    const misfit = outcome({ output: '{"severity":3}' }, schema)
    expect(misfit).toMatchObject({ status: 'failed', error: { code: 'invalid_output', retryable: false } })
    expect(misfit).toHaveProperty('error.message', expect.stringContaining('output/severity must be string'))
    expect(outcome({ output: 'no json' }, schema)).toMatchObject({ error: { code: 'invalid_output' } })
    expect(outcome({ output: '7' }, { type: 'integer' })).toMatchObject({ output: 7 })
  })

  test('fails the task when the schema itself is wrong', () => {
    expect(outcome({ output: '{}' }, { type: 'nonsense' })).toMatchObject({
      status: 'failed',
      error: { code: 'invalid_output' },
    })
  })

  test('may be as long as the limit and no longer', () => {
    expect(outcome({ output: 'x'.repeat(10) }, null, 10)).toMatchObject({ status: 'completed' })
    expect(outcome({ output: 'x'.repeat(11) }, null, 10)).toMatchObject({
      status: 'failed',
      error: { code: 'output_too_large' },
    })
  })

  test('loses NUL, lone surrogates and bytes that are not UTF-8, and says so', () => {
    expect(outcome({ output: '{"a":"x\\u0000y\\ud800z"}' })).toEqual({
      status: 'completed',
      output: { a: 'x\uFFFDy\uFFFDz' },
      sanitized: true,
    })
    expect(outcome({ output: new Uint8Array([0x61, 0xff, 0x62]) })).toEqual({
      status: 'completed',
      output: { text: 'a\uFFFDb' },
      sanitized: true,
    })
  })

  test('never carries a secret the command was given', () => {
    expect(outcome({ output: '{"k":"top-secret"}' })).toMatchObject({ output: { k: '[redacted]' } })
    expect(outcome({ exitCode: 1, log: 'denied: top-secret\n' })).toMatchObject({
      error: { message: 'denied: [redacted]' },
    })
  })
})

describe('a command that failed', () => {
  test('says the end of its log', () => {
    const log = `${'x'.repeat(9000)} the reason`
    const result = outcome({ exitCode: 3, log })
    expect(result).toMatchObject({ status: 'failed', error: { code: 'agent_failed', retryable: false } })
    expect(result).toHaveProperty('error.message', expect.stringMatching(/x the reason$/))
    expect((result as { error: { message: string } }).error.message.length).toBeLessThanOrEqual(4097)
  })

  test('with exit code 75 may be tried again', () => {
    expect(outcome({ exitCode: 75 })).toMatchObject({
      error: { code: 'agent_failed', retryable: true, message: 'the command ended with exit code 75' },
    })
  })
})

describe('an outcome', () => {
  test('of the same report is the same, whatever the order of its keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (output) => {
        const stored = completed(output as JsonObject, null, redact)
        if (stored.status !== 'completed') throw new Error('a report without a schema completes')
        const again = completed(Object.fromEntries(Object.entries(output).reverse()) as JsonObject, null, redact)
        expect(
          sameOutcome({ status: 'completed', output: JSON.parse(JSON.stringify(stored.output)), error: null }, again),
        ).toBe(true)
      }),
    )
  })

  test('differs by status, output and error', () => {
    const stored = { status: 'completed', output: { a: 1 }, error: null }
    expect(sameOutcome(stored, completed({ a: 2 }, null, redact))).toBe(false)
    expect(sameOutcome(stored, failed('agent_failed', 'x', redact))).toBe(false)
  })
})

describe('a task on stdin', () => {
  const task: TaskRow = {
    task_id: 't1',
    namespace: 'default',
    agent: 'sre',
    run_id: 'r1',
    step_id: 's1',
    path: 'analyze',
    attempt: 2,
    status: 'leased',
    prompt: 'Why?\nTell me.',
    inputs: { host: 'web-1' },
    output_schema: null,
    output: null,
    error: null,
    instance_id: 'i1',
    lease_until: null,
    deadline: new Date(Date.UTC(2026, 0, 1)),
    keep_workspace: false,
    correlation_id: 'c1',
    created_at: new Date(0),
    completed_at: null,
    created_by: 'system:controller',
    parent_task: null,
    retry_of: null,
    parts_total: 0,
    parts_done: 0,
    parts_failed: 0,
    max_attempts: 3,
    retry_delay_ms: 0,
    not_before: null,
    leased_at: new Date(0),
    tokens: 0,
    cost_nano_usd: 0,
    expected_rows: null,
  }

  test('is one line of JSON', () => {
    const text = stdinOf(messageOf(task, '/w', undefined), 'json')
    expect(text.indexOf('\n')).toBe(text.length - 1)
    expect(JSON.parse(text)).toEqual({
      protocol: 1,
      task_id: 't1',
      attempt: 2,
      run_id: 'r1',
      step_id: 's1',
      prompt: 'Why?\nTell me.',
      inputs: { host: 'web-1' },
      output_schema: null,
      tools: null,
      data_access: 'bus',
      goal: null,
      workspace: '/w',
      deadline: '2026-01-01T00:00:00.000Z',
      correlation_id: 'c1',
      idempotency_key: 'r1/analyze/2',
    })
  })

  test('or the bare prompt', () => {
    expect(stdinOf(messageOf(task, '/w', undefined), 'prompt')).toBe('Why?\nTell me.')
    const redirected = messageOf(task, '/w', { goal: 'Leave nginx alone.' })
    expect(stdinOf(redirected, 'prompt')).toBe('Leave nginx alone.\n\nWhy?\nTell me.')
  })
})
