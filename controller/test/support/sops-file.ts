import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import { armor, Encrypter } from 'age-encryption'
import { stringify } from 'yaml'

type Leaf = string | number | boolean
interface Tree {
  readonly [key: string]: Leaf | Tree | readonly Leaf[]
}

/**
 * A file as SOPS writes it, for an age recipient: each value by itself with AES-256-GCM and a nonce of 32 bytes, its path
 * authenticated, keys with the suffix `_unencrypted` left alone, and a MAC over all values.
 */
export async function sopsFile(
  tree: Tree,
  recipients: readonly string[],
  options: {
    readonly macOnlyEncrypted?: boolean
    readonly format?: 'yaml' | 'json'
    /** Encrypts the key of the data for a recipient, as an armoured age file; default: in this process. */
    readonly wrap?: (key: Uint8Array, recipient: string) => Promise<string>
  } = {},
): Promise<string> {
  const key = randomBytes(32)
  const hash = createHash('sha512')
  if (options.macOnlyEncrypted === true) hash.update(createHash('sha256').update('sops').digest())
  const walk = (at: Leaf | Tree | readonly Leaf[], path: readonly string[]): unknown => {
    if (Array.isArray(at)) return at.map((item) => walk(item, path))
    if (typeof at === 'object')
      return Object.fromEntries(Object.entries(at).map(([name, value]) => [name, walk(value, [...path, name])]))
    const leaf = at as Leaf
    const text = typeof leaf === 'boolean' ? (leaf ? 'True' : 'False') : String(leaf)
    const plain = path.some((part) => part.endsWith('_unencrypted'))
    if (!plain || options.macOnlyEncrypted !== true) hash.update(text)
    if (plain) return leaf
    const type = typeof leaf === 'string' ? 'str' : typeof leaf === 'boolean' ? 'bool' : 'int'
    return encrypted(text, key, `${path.join(':')}:`, type)
  }
  const document = walk(tree, []) as object
  const lastmodified = '2026-03-28T09:15:00Z'
  const age = await Promise.all(
    recipients.map(async (recipient) => ({ recipient, enc: await (options.wrap ?? wrapped)(key, recipient) })),
  )
  const sops = {
    age,
    lastmodified,
    mac: encrypted(hash.digest('hex').toUpperCase(), key, lastmodified, 'str'),
    unencrypted_suffix: '_unencrypted',
    ...(options.macOnlyEncrypted === true ? { mac_only_encrypted: true } : {}),
    version: '3.10.2',
  }
  const whole = { ...document, sops }
  return options.format === 'json' ? JSON.stringify(whole, null, '\t') : stringify(whole)
}

async function wrapped(key: Uint8Array, recipient: string): Promise<string> {
  const encrypter = new Encrypter()
  encrypter.addRecipient(recipient)
  return armor.encode(await encrypter.encrypt(key))
}

function encrypted(text: string, key: Uint8Array, path: string, type: string): string {
  if (text === '') return ''
  const iv = randomBytes(32)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(Buffer.from(path))
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  const parts = [data, iv, cipher.getAuthTag()].map((bytes) => bytes.toString('base64'))
  return `ENC[AES256_GCM,data:${parts[0]},iv:${parts[1]},tag:${parts[2]},type:${type}]`
}
