import { describe, expect, it } from 'vitest'
import { followAbort } from './following-abort.ts'

describe('an abort that follows another', () => {
  it('is aborted with the reason of the other, also when that was aborted before', () => {
    const other = new AbortController()
    const early = followAbort(other.signal)
    other.abort('enough')
    expect(early.signal.reason).toBe('enough')
    expect(followAbort(other.signal).signal.reason).toBe('enough')
  })

  it('is aborted by itself without touching the other', () => {
    const other = new AbortController()
    const following = followAbort(other.signal)
    following.abort('late')
    expect(following.signal.reason).toBe('late')
    expect(other.signal.aborted).toBe(false)
  })

  it('follows no longer after its end', () => {
    const other = new AbortController()
    const following = followAbort(other.signal)
    following.end()
    other.abort('enough')
    expect(following.signal.aborted).toBe(false)
  })
})
