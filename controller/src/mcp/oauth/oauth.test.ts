import { describe, expect, it } from 'vitest'
import { answerQuestion } from '../questions.ts'
import { challengeOf, scopesFor } from './challenge.ts'
import { loginSecret, readLogin } from './login-record.ts'

const answer = (status: number, words?: string) =>
  new Response('', { status, headers: words === undefined ? {} : { 'www-authenticate': words } })

describe('what a server answers', () => {
  it('asks for a token, with or without saying for what', () => {
    expect(challengeOf(answer(401))).toMatchObject({ kind: 'unauthorized', scope: undefined })
    expect(
      challengeOf(answer(401, 'Bearer scope="a b", resource_metadata="https://x.example/.well-known/y"')),
    ).toMatchObject({
      kind: 'unauthorized',
      scope: 'a b',
      resourceMetadataUrl: new URL('https://x.example/.well-known/y'),
    })
  })

  it('asks for scopes only where it says so; any other refusal is final', () => {
    expect(challengeOf(answer(403, 'Bearer error="insufficient_scope", scope="c"'))).toMatchObject({
      kind: 'scope',
      scope: 'c',
    })
    for (const other of [answer(403), answer(403, 'Bearer error="access_denied"'), answer(200), answer(500)])
      expect(challengeOf(other)).toBeNull()
  })

  it('never loses a scope that was asked for before', () => {
    expect(scopesFor(['a'], 'b a', undefined, 'c')).toBe('a b c')
    expect(scopesFor(undefined, undefined)).toBeUndefined()
  })
})

describe('what a sign-in gave', () => {
  it('is read only where it is whole', () => {
    const whole = { client: { client_id: 'x' }, tokens: { access_token: 't', token_type: 'Bearer' } }
    expect(readLogin(JSON.stringify(whole))).toEqual(whole)
    for (const text of ['', '{', 'null', '[]', '{}', JSON.stringify({ ...whole, tokens: {} })])
      expect(readLogin(text)).toBeNull()
  })

  it('is kept under the name of its server, or where its declaration says', () => {
    const server = { namespace: 'prod', name: 'tracker', spec: {} }
    expect(loginSecret(server, {})).toEqual({ name: 'mcp.prod.tracker', key: 'login' })
    expect(loginSecret(server, { loginSecretRef: { path: 'sys/prod/mcp/tracker' } })).toEqual({
      name: 'sys/prod/mcp',
      key: 'tracker',
    })
  })
})

describe('a question in the middle of a call', () => {
  const asked = (properties: object, required: string[] = []) =>
    answerQuestion({ message: '?', requestedSchema: { type: 'object', properties, required } } as never)

  it('gets the answers it proposes', () => {
    const properties = { name: { type: 'string', default: 'x' }, age: { type: 'integer' } }
    expect(asked(properties)).toEqual({ action: 'accept', content: { name: 'x' } })
    expect(asked({ no: { type: 'boolean', default: false } }, ['no'])).toEqual({
      action: 'accept',
      content: { no: false },
    })
  })

  it('is declined where it needs one that it does not propose, or somebody to go somewhere', () => {
    expect(asked({ name: { type: 'string' } }, ['name'])).toEqual({ action: 'decline' })
    expect(answerQuestion({ mode: 'url', message: '?', url: 'https://x.example', elicitationId: '1' })).toEqual({
      action: 'decline',
    })
  })
})
