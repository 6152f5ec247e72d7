import { describe, expect, it } from 'vitest'
import { fail } from '../../lib/error-catalogue.ts'
import { remoteSecrets, secretAnswer } from './remote-secrets.ts'

const over = (answer: () => Promise<string | null>) =>
  remoteSecrets(async () => JSON.parse(JSON.stringify(await secretAnswer(answer))) as unknown)
const use = { consumer: 'agent:default/a', namespace: 'default' }
const token = { name: 'github', key: 'token' }

describe('a secret that a joined host asks for', () => {
  it('comes as it is, or not at all', async () => {
    expect(await over(async () => 'value').read(token, use)).toBe('value')
    expect(await over(async () => null).peek(token)).toBeNull()
  })

  it('that is refused says why, and ends nothing but the asking', async () => {
    const denied = over(() =>
      Promise.reject(fail('SW_DENIED_BY_POLICY', 'policy vault denies it', { remedy: 'ask ada' })),
    )
    await expect(denied.read(token, use)).rejects.toMatchObject({
      ref: 'SW_DENIED_BY_POLICY',
      message: 'policy vault denies it',
      remedy: 'ask ada',
    })
    await expect(over(() => Promise.reject(new Error('the database is away'))).read(token, use)).rejects.toThrow('away')
  })
})
