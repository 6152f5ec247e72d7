import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { eventOf, githubEvent } from './github-events.ts'

const request = { number: 7, head: { ref: 'proposals/x', sha: 'abc' }, merged: false }
const SECRET = 'of a test'

describe('a webhook of GitHub', () => {
  it('tells of reviews, merges and closed pull requests', () => {
    const review = { state: 'approved', commit_id: 'abc', user: { login: 'grace' }, body: 'fine' }
    expect(eventOf('pull_request_review', { action: 'submitted', review, pull_request: request })).toEqual({
      ...{
        kind: 'reviewed',
        number: 7,
        branch: 'proposals/x',
        head: 'abc',
        decision: 'approve',
        login: 'grace',
        text: 'fine',
      },
    })
    const no = { ...review, state: 'changes_requested', body: null }
    expect(eventOf('pull_request_review', { action: 'submitted', review: no, pull_request: request })).toMatchObject({
      ...{ decision: 'reject', text: '' },
    })
    const merged = { ...request, merged: true, merged_by: { login: 'grace' } }
    expect(eventOf('pull_request', { action: 'closed', pull_request: merged })).toMatchObject({
      kind: 'merged',
      login: 'grace',
    })
    expect(
      eventOf('pull_request', { action: 'closed', pull_request: request, sender: { login: 'ada' } }),
    ).toMatchObject({
      ...{ kind: 'closed', login: 'ada' },
    })
    expect(eventOf('pull_request', { action: 'synchronize', pull_request: request })).toEqual({ kind: 'pushed' })
    expect(eventOf('push', { ref: 'refs/heads/main' })).toEqual({ kind: 'pushed' })
  })

  it('is of no interest when it is about anything else, or is not what it seems', () => {
    const comment = { state: 'commented', commit_id: 'abc', user: { login: 'grace' } }
    expect(eventOf('pull_request_review', { action: 'submitted', review: comment, pull_request: request })).toBeNull()
    for (const payload of [null, 1, 'x', [], {}, { pull_request: {} }, { action: 'closed' }])
      for (const name of ['pull_request', 'pull_request_review', 'issues', ''])
        expect(eventOf(name, payload)).toBeNull()
  })

  it('counts only with its signature', async () => {
    const body = Buffer.from(JSON.stringify({ ref: 'refs/heads/main' }))
    const sign = (secret: string) => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
    const send = (signature: string | undefined, sent = body) =>
      githubEvent({ 'x-github-event': 'push', 'x-hub-signature-256': signature }, sent, SECRET)
    expect(await send(sign(SECRET))).toEqual({ kind: 'pushed' })
    for (const wrong of [undefined, '', 'sha256=00', sign('another'), sign(SECRET).replace('sha256', 'sha1')])
      await expect(send(wrong)).rejects.toMatchObject({ ref: 'SW_UNAUTHENTICATED' })
    await expect(send(sign(SECRET), Buffer.from('{}'))).rejects.toMatchObject({ ref: 'SW_UNAUTHENTICATED' })
  })
})
