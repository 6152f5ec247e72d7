import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { sopsFile } from '../../../test/support/sops-file.ts'
import { openSops } from './open-sops.ts'

let identity: string
let recipient: string
beforeAll(async () => {
  identity = await generateX25519Identity()
  recipient = await identityToRecipient(identity)
})

const TREE = {
  github: { token: 'ghp-of-the-file', user_unencrypted: 'bot' },
  sys: { prod: { providers: { openai: 'sk-of-the-file' } } },
  port: 8080,
  on: true,
  hosts: ['a', 'b'],
}

describe('a file of SOPS', () => {
  test.each(['yaml', 'json'] as const)('as %s opens with the identity it was made for', async (format) => {
    const secrets = await openSops(await sopsFile(TREE, [recipient], { format }), identity)
    expect([...secrets].sort()).toEqual([
      ['github/token', 'ghp-of-the-file'],
      ['github/user_unencrypted', 'bot'],
      ['hosts/0', 'a'],
      ['hosts/1', 'b'],
      ['on', 'True'],
      ['port', '8080'],
      ['sys/prod/providers/openai', 'sk-of-the-file'],
    ])
  })

  test('for several recipients opens with any of theirs, also from a file of age-keygen', async () => {
    const other = await identityToRecipient(await generateX25519Identity())
    const file = await sopsFile(TREE, [other, recipient])
    const keygen = `# created: 2026-03-28T09:15:00Z\n# public key: ${recipient}\n${identity}\n`
    expect((await openSops(file, keygen)).get('github/token')).toBe('ghp-of-the-file')
  })

  test('whose MAC leaves plain values out opens, too', async () => {
    const file = await sopsFile(TREE, [recipient], { macOnlyEncrypted: true })
    expect((await openSops(file.replace('bot', 'somebody'), identity)).get('github/user_unencrypted')).toBe('somebody')
  })

  test('of any content comes out as it went in', async () => {
    const key = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/).filter((name) => name !== 'sops')
    const content = fc.dictionary(key, fc.dictionary(key, fc.string({ minLength: 1 }), { maxKeys: 4 }), { maxKeys: 4 })
    await fc.assert(
      fc.asyncProperty(content, async (tree) => {
        const plain = JSON.parse(JSON.stringify(tree)) as typeof tree
        const secrets = await openSops(await sopsFile(plain, [recipient], { format: 'json' }), identity)
        const wanted = Object.entries(plain).flatMap(([name, keys]) =>
          Object.entries(keys).map(([k, value]) => [`${name}/${k}`, value]),
        )
        expect(Object.fromEntries(secrets)).toEqual(Object.fromEntries(wanted))
      }),
      { numRuns: 25 },
    )
  })
})

describe('what does not open', () => {
  const refused = async (text: string, key: string, message: RegExp) => {
    const opened = openSops(text, key)
    await expect(opened).rejects.toMatchObject({ ref: 'SW_SECRET_MISSING', message: expect.stringMatching(message) })
    await expect(opened).rejects.not.toMatchObject({ message: expect.stringContaining('of-the-file') })
  }

  test('a file for somebody else, and what is no identity', async () => {
    const file = await sopsFile(TREE, [recipient])
    await refused(file, await generateX25519Identity(), /not for the age identity/)
    await refused(file, 'AGE-SECRET-KEY-1NOT', /no age identity/)
  })

  test('a plain value that somebody changed, and a value that was moved', async () => {
    const file = await sopsFile(TREE, [recipient])
    await refused(file.replace('bot', 'evil'), identity, /MAC/)
    const moved = JSON.parse(await sopsFile({ a: { x: 'one', y: 'two' } }, [recipient], { format: 'json' }))
    ;[moved.a.x, moved.a.y] = [moved.a.y, moved.a.x]
    await refused(JSON.stringify(moved), identity, /a:y:|a:x:/)
  })

  test('a value that was taken out', async () => {
    const less = JSON.parse(await sopsFile(TREE, [recipient], { format: 'json' }))
    delete less.github.token
    await refused(JSON.stringify(less), identity, /MAC/)
  })

  test('what SOPS never made', async () => {
    await refused('github: {token: plain}\n', identity, /not encrypted by SOPS/)
    await refused('- a\n', identity, /no map/)
    await refused('a: [\n', identity, /neither YAML nor JSON/)
    await refused('a: x\nsops: {kms: []}\n', identity, /no age recipient/)
    await refused('a: x\nsops: {key_groups: [{}]}\n', identity, /groups/)
  })
})
