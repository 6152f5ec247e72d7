import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FAKE_SECRETS, GITHUB_TOKEN, PRIVATE_KEY } from '../../../test/support/fake-secrets.ts'
import { sha256 } from '../../lib/digest.ts'
import { StatewardError } from '../../lib/errors.ts'
import { placeOf } from '../../lib/issue.ts'
import { refuseSecrets, scanForSecrets } from './scan.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const scan = (text: string, path = 'a.yaml') => scanForSecrets(path, bytes(text))
const fingerprint = (secret: string) => sha256(secret).slice(0, 12)

describe('what is found', () => {
  test.each(FAKE_SECRETS)('a %s, at its line and column', (what, secret) => {
    const [issue, ...more] = scan(`# first\nkey: ${secret}\n`, 'b/x.yaml')
    expect(more).toEqual([])
    expect(placeOf(issue!)).toBe('b/x.yaml:2:6')
    expect(issue).toMatchObject({ code: 'SW_PLAINTEXT_SECRET', severity: 'error' })
    expect(issue!.message.toLowerCase()).toContain(`(${what.toLowerCase()})`)
  })

  test.each(FAKE_SECRETS)('a %s is nowhere in what is said of it', (_what, secret) => {
    const said = JSON.stringify(scan(`key: ${secret}\n`))
    for (const part of secret.match(/[A-Za-z0-9/+]{12,}/g) ?? []) expect(said).not.toContain(part)
  })

  test('an indented key of a block, a quoted one with \\n, and one in a script', () => {
    expect(scan(`a: |\n${PRIVATE_KEY.replaceAll(/^/gm, '    ')}\n`)[0]).toMatchObject({ line: 2, column: 5 })
    expect(scan(`a: ${JSON.stringify(PRIVATE_KEY)}\n`)).toHaveLength(1)
    expect(scan(`const token = '${GITHUB_TOKEN}'\n`, 'agents/sre.js')[0]).toMatchObject({ line: 1, column: 16 })
  })

  test('every one of several, in the order of the file', () => {
    const found = scan(FAKE_SECRETS.map(([, secret]) => `k: ${secret}`).join('\n'))
    expect(found.length).toBe(FAKE_SECRETS.length)
    expect(found.map(({ line }) => line!)).toEqual([...found.map(({ line }) => line!)].sort((a, b) => a - b))
  })

  test('text of other encodings is read, what is no text is not', () => {
    const wide = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`k: ${GITHUB_TOKEN}\n`, 'utf16le')])
    expect(scanForSecrets('a.yaml', wide)).toHaveLength(1)
    expect(scanForSecrets('a', Buffer.from(`\xe9 ${GITHUB_TOKEN}`, 'latin1'))).toHaveLength(1)
    expect(scanForSecrets('a', Buffer.from(`\0${GITHUB_TOKEN}`))).toEqual([])
  })
})

describe('what is let through', () => {
  test.each([
    'image: registry.example.com/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    'revision: 4f1d2c3b4a5968778695a4b3c2d1e0f123456789',
    'id: 019a7f3e-8d2b-7c41-9a6e-0d1f2e3c4b5a',
    'url: https://user@example.com/path?token=1',
    'url: postgres://app:{{ inputs.password }}@db/app',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: how shells write it
    'url: postgres://app:${DB_PASSWORD}@db/app',
    'secretRef: {name: github, key: token}',
    'value: ENC[AES256_GCM,data:aGVsbG8gd29ybGQ=,iv:l3sT9Q==,tag:0000000000000000000000==,type:str]',
    '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----',
    '-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBqNHpmNlFtd3dLTXBpcGpk\n',
    'recipient: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
  ])('%s', (text) => {
    expect(scan(text)).toEqual([])
  })

  test('words and numbers of people, whatever they write', () => {
    const word = fc.stringMatching(/^[a-z]{1,12}$/)
    const line = fc.array(fc.oneof(word, fc.integer().map(String)), { maxLength: 12 }).map((words) => words.join(' '))
    fc.assert(fc.property(fc.array(line, { maxLength: 20 }), (lines) => scan(lines.join('\n')).length === 0))
  })
})

describe('what the file says is none', () => {
  test('is let through by its fingerprint, as a comment or an annotation, and told', () => {
    const print = fingerprint(GITHUB_TOKEN)
    for (const permission of [
      `# stateward.dev/allow-secret: ${print}`,
      `stateward.dev/allow-secret: "000000000000, ${print}"`,
      `{"stateward.dev/allow-secret": "${print}"}`,
    ]) {
      expect(scan(`${permission}\nkey: ${GITHUB_TOKEN}\n`)).toMatchObject([
        { code: 'SW_ALLOWED_SECRET', severity: 'warning', line: 2, column: 6 },
      ])
    }
  })

  test('a permission covers that one text and no other', () => {
    const text = `# stateward.dev/allow-secret: ${fingerprint('something else')}\nkey: ${GITHUB_TOKEN}\n`
    expect(scan(text)).toMatchObject([{ code: 'SW_PLAINTEXT_SECRET' }])
  })

  test('the refusal tells the fingerprint to allow', () => {
    expect(scan(`key: ${GITHUB_TOKEN}`)[0]!.hint).toContain(fingerprint(GITHUB_TOKEN))
  })
})

describe('a change that holds secrets', () => {
  test('is refused with the file and line of each', () => {
    const files = [
      { path: 'a.yaml', bytes: bytes('kind: Agent\n') },
      { path: 'b.sh', bytes: bytes(`\nexport T=${GITHUB_TOKEN}\n`) },
    ]
    expect(() => refuseSecrets(files)).toThrow(expect.objectContaining({ ref: 'SW_SECRET_IN_CHANGE' }))
    try {
      refuseSecrets(files)
    } catch (error) {
      expect(error).toBeInstanceOf(StatewardError)
      expect((error as Error).message).toMatch(/^b\.sh:2:10: error: /)
      expect((error as Error).message).not.toContain(GITHUB_TOKEN)
    }
  })

  test('may touch a file that held one before', () => {
    const before = bytes(`# old\nkey: ${GITHUB_TOKEN}\n`)
    expect(() => refuseSecrets([{ path: 'a', bytes: bytes(`key: ${GITHUB_TOKEN}\nx: 1\n`), before }])).not.toThrow()
    const another = bytes(`key: ${GITHUB_TOKEN}\nother: ${FAKE_SECRETS[1]![1]}\n`)
    expect(() => refuseSecrets([{ path: 'a', bytes: another, before }])).toThrow(/^a:2:8/)
  })

  test('without any passes', () => {
    expect(() => refuseSecrets([{ path: 'a.yaml', bytes: bytes('kind: Agent\n') }])).not.toThrow()
  })
})
