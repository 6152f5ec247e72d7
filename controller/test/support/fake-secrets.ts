/**
 * Texts with the shape of real secrets, none of which was ever issued. They are put together here, so that no scanner finds
 * them in this repository.
 */
const join = (...parts: readonly string[]) => parts.join('')
const letters = 'aB3dE5gH7jK9mN1pQ2sT4vW6yZ8'
const run = (length: number) => letters.repeat(Math.ceil(length / letters.length)).slice(0, length)

export const PRIVATE_KEY = join(
  '-----BEGIN ',
  'PRIVATE KEY-----\n',
  `MC4CAQAwBQYDK2VwBCIEI${run(43)}\n`,
  '-----END ',
  'PRIVATE KEY-----',
)

export const GITHUB_TOKEN = join('gh', 'p_', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx')

/** What each looks like to the scanner, and a text of that shape. */
export const FAKE_SECRETS: readonly (readonly [string, string])[] = [
  ['github token', GITHUB_TOKEN],
  ['gitlab personal access token', join('gl', 'pat-', 'AbCdEf0123456789XyZq')],
  ['slack token', join('xo', 'xb-123456789012-123456789012-', 'abcdefghijklmnopqrstuvwx')],
  ['anthropic api key', join('sk-', 'ant-api03-', run(93), 'AA')],
  ['openai token', join('sk-', 'proj-', run(74), 'T3Blbk', 'FJ', run(74))],
  ['npm access token', join('np', 'm_', run(36))],
  ['AWS secret access key', join('AWS_SECRET_ACCESS', '_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzKEYaa')],
  ['PostgreSQL connection', join('postgres://app:', 's3cretPassw0rd@db.internal.net/app')],
  ['private key', PRIVATE_KEY],
  ['Stateward token', join('sw', 'a_', run(43))],
  ['age secret key', join('AGE-SECRET', '-KEY-1', 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'.repeat(2).slice(0, 58))],
  ['Stripe key', join('sk', '_live_', run(24))],
  ['Google API key', join('AI', 'za', run(35))],
]
