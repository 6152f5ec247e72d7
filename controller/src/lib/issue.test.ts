import { expect, test } from 'vitest'
import { assertNever } from './assert-never.ts'
import { systemClock } from './clock.ts'
import { ERRORS, fail } from './error-catalogue.ts'
import { errorMessage, StatewardError } from './errors.ts'
import { formatIssue, placeOf, uniqueIssues } from './issue.ts'
import { ISSUE_CODES } from './issue-catalogue.ts'

test('a place is as exact as it is known', () => {
  expect(placeOf({})).toBe('-')
  expect(placeOf({ file: 'a.yaml' })).toBe('a.yaml')
  expect(placeOf({ file: 'a.yaml', line: 3 })).toBe('a.yaml:3')
  expect(placeOf({ file: 'a.yaml', line: 3, column: 7 })).toBe('a.yaml:3:7')
})

test('an issue is one line with its place, message, remedy and code', () => {
  const issue = {
    code: 'SW_BAD_VALUE',
    severity: 'error',
    message: 'too small',
    hint: 'write 1 or more',
    file: 'a.yaml',
    line: 3,
    column: 7,
  } as const
  expect(formatIssue(issue)).toBe('a.yaml:3:7: error: too small (write 1 or more) [SW_BAD_VALUE]')
})

test('no reference is both a failure and an issue, and each failure has a remedy of one line', () => {
  expect(Object.keys(ERRORS).filter((ref) => ref in ISSUE_CODES)).toEqual([])
  for (const entry of Object.values(ERRORS)) {
    expect(entry.remedy).toMatch(/^[^\n]+$/)
    expect(entry.code).toMatch(/^[a-z_]+$/)
  }
})

test('a failure carries what its catalogue entry says, or a remedy of its own', () => {
  const cause = new Error('why')
  const error = fail('SW_NOT_FOUND', 'no such agent', { details: { name: 'x' }, cause })
  expect(error).toBeInstanceOf(StatewardError)
  expect(error).toMatchObject({
    ref: 'SW_NOT_FOUND',
    code: 'not_found',
    status: 404,
    message: 'no such agent',
    details: { name: 'x' },
    cause,
  })
  expect(fail('SW_NOT_FOUND', 'x', { remedy: 'look again' }).remedy).toBe('look again')
  expect(errorMessage(error)).toBe('no such agent')
  expect(errorMessage('text')).toBe('text')
})

test('a value outside of a union throws', () => {
  expect(() => assertNever('x' as never, 'state')).toThrow('unexpected state: "x"')
})

test('the system clock tells both times', () => {
  const before = systemClock.monotonicMs()
  expect(systemClock.now()).toBeInstanceOf(Date)
  expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(before)
})

test('a problem that two found at one place is told once, and two at different places are two', () => {
  const issue = { code: 'SW_BAD_VALUE', severity: 'warning', message: 'm', hint: 'h', file: 'a.yaml' } as const
  const placed = { ...issue, line: 3, column: 1, pointer: '/spec' }
  const issues = [{ ...placed, document: 0 }, placed, { ...placed, line: 9 }, { ...issue, document: 0 }, issue]
  expect(uniqueIssues(issues)).toEqual([placed, { ...placed, line: 9 }, { ...issue, document: 0 }, issue])
})
