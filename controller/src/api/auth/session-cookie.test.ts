import { expect, test } from 'vitest'
import { sessionCookie, sessionOf } from './session-cookie.ts'

const TOKEN = `swu_${'a'.repeat(43)}`

test('the session is found among other cookies', () => {
  for (const cookie of [
    `stateward_session=${TOKEN}`,
    `a=b; stateward_session=${TOKEN}`,
    `stateward_session=${TOKEN}; a=b`,
    `a=b;stateward_session=${TOKEN};c=d`,
  ])
    expect(sessionOf({ cookie })).toBe(TOKEN)
})

test('what only looks like it is none', () => {
  for (const cookie of [
    '',
    'stateward_session=',
    `stateward_session=${TOKEN}x`,
    `other_stateward_session=${TOKEN}`,
    `stateward_session=swk_${'a'.repeat(43)}`,
    `a="; stateward_session=x${TOKEN}`,
  ])
    expect(sessionOf({ cookie })).toBeNull()
  expect(sessionOf({})).toBeNull()
})

test('no script reads it and no other site sends it', () => {
  const cookie = sessionCookie(TOKEN, { maxAgeMs: 43_200_000, secure: false })
  expect(cookie).toBe(`stateward_session=${TOKEN}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict`)
  expect(sessionCookie(TOKEN, { maxAgeMs: 1_000, secure: true })).toContain('; Secure')
})
