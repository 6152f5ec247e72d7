import { expect, it } from 'vitest'
import { opener } from './open-browser.ts'

it('opens addresses only where there is a desktop', () => {
  expect(opener('linux', {})).toBeNull()
  expect(opener('linux', { DISPLAY: '' })).toBeNull()
  expect(opener('linux', { DISPLAY: ':0' })).toBe('xdg-open')
  expect(opener('linux', { WAYLAND_DISPLAY: 'wayland-0' })).toBe('xdg-open')
  expect(opener('darwin', {})).toBe('open')
})
