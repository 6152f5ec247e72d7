import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isSecretPath, secretName, secretParameters, secretsNamedIn, secretText, withSecrets } from './secret-ref.ts'

describe('a reference', () => {
  test('by path is the key of what stands before its last slash', () => {
    expect(secretName({ path: 'sys/prod/providers/openai' })).toEqual({ name: 'sys/prod/providers', key: 'openai' })
    expect(secretName({ name: 'github', key: 'token' })).toEqual({ name: 'github', key: 'token' })
    fc.assert(
      fc.property(fc.stringMatching(/^(sys|team)\/[a-z0-9]{1,9}(\/[A-Za-z0-9]{1,9}){1,5}$/), (path) => {
        expect(isSecretPath(path)).toBe(true)
        expect(secretText(secretName({ path }))).toBe(path)
      }),
    )
  })

  test.each(['main', 'refs/heads/main', 'team', 'team/ops', 'sys//x', 'sys/../etc', '../sys/a/b', 'team/ops/..'])(
    '%s is no path of a secret',
    (text) => {
      expect(isSecretPath(text)).toBe(false)
    },
  )
})

describe('parameters of a tool', () => {
  const parameters = {
    url: 'https://x',
    token_ref: 'team/ops/github',
    headers: { 'x-key_ref': 'sys/prod/providers/openai', git_ref: 'main' },
    list: [{ cred_ref: { name: 'aws', key: 'id' } }],
    base_ref: '{{ inputs.branch }}',
    _ref: 'team/ops/github',
  }

  test('name secrets with *_ref, at any depth, and only as they are written', () => {
    expect(secretParameters(parameters)).toEqual([
      { pointer: '/token_ref', secret: { name: 'team/ops', key: 'github' } },
      { pointer: '/headers/x-key_ref', secret: { name: 'sys/prod/providers', key: 'openai' } },
      { pointer: '/list/0/cred_ref', secret: { name: 'aws', key: 'id' } },
    ])
  })

  test('get the values in the place of the references, and share the rest', () => {
    const values = new Map(secretParameters(parameters).map(({ pointer }, i) => [pointer, `value-${i}`]))
    expect(withSecrets(parameters, values)).toEqual({
      url: 'https://x',
      token: 'value-0',
      headers: { 'x-key': 'value-1', git_ref: 'main' },
      list: [{ cred: 'value-2' }],
      base_ref: '{{ inputs.branch }}',
      _ref: 'team/ops/github',
    })
    expect(withSecrets(parameters, new Map())).toBe(parameters)
  })
})

test('what an object names is found wherever it stands, each once', () => {
  const spec = {
    env: [
      { name: 'A', secretRef: { name: 'keys', key: 'a' } },
      { name: 'B', secretRef: { path: 'team/ops/b' } },
    ],
    plan: [{ with: { token_ref: 'team/ops/b', base_ref: 'main' } }],
    secretRef: 'not a reference',
  }
  expect(secretsNamedIn(spec).map(secretText)).toEqual(['keys/a', 'team/ops/b'])
})
