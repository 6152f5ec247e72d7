import { describe, expect, it } from 'vitest'
import { fail } from '../../lib/error-catalogue.ts'
import { stepError } from './step-error.ts'

describe('the error of a step', () => {
  it('holds what the catalogue says, down to the root cause', () => {
    const root = new Error('connection refused')
    const error = stepError(
      fail('SW_TOOL_FAILED', 'the call failed', { cause: root, details: { status: 502, skipped: undefined } }),
      'tool',
    )
    expect(error).toEqual({
      code: 'tool_failed',
      category: 'tool',
      message: 'the call failed',
      retryable: false,
      cause: { code: 'internal', category: 'tool', message: 'connection refused', retryable: false },
      details: { status: 502, ref: 'SW_TOOL_FAILED', remedy: 'the message holds what the tool said' },
    })
  })

  it('says by itself that time was up, that it was cancelled, or that it may be tried again', () => {
    expect(stepError(fail('SW_STEP_TIMEOUT', 'late'), 'tool').category).toBe('timeout')
    expect(stepError(fail('SW_CANCELLED', 'stop'), 'tool').category).toBe('cancelled')
    expect(stepError(fail('SW_TOOL_FAILED', 'busy', { details: { retryable: true } }), 'tool').retryable).toBe(true)
  })

  it('ends for causes that form a circle, and for what is no error at all', () => {
    const circle = new Error('round')
    circle.cause = circle
    expect(JSON.stringify(stepError(circle, 'internal')).length).toBeLessThan(2000)
    expect(stepError('just text', 'internal')).toMatchObject({ code: 'internal', message: 'just text' })
    expect(stepError(new Error('x'.repeat(10_000)), 'tool').message).toHaveLength(4096)
  })
})
