import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { fail } from '../lib/error-catalogue.ts'
import { hasCode } from '../lib/error-code.ts'
import { isObject } from '../lib/json.ts'

/**
 * A file of secrets, encrypted with age: JSON of texts by `<name>/<key>`. Written whole, beside itself, and renamed; readable by its
 * owner alone. The identity that opens it lies elsewhere.
 */
export async function readAgeFile(file: string, identity: string): Promise<ReadonlyMap<string, string>> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return new Map()
    throw error
  }
  try {
    const decrypter = new Decrypter()
    decrypter.addIdentity(identity.trim())
    const content: unknown = JSON.parse(await decrypter.decrypt(bytes, 'text'))
    if (!isObject(content)) throw new TypeError('not a map')
    return new Map(Object.entries(content).map(([path, value]) => [path, String(value)]))
  } catch (cause) {
    throw fail('SW_SECRET_MISSING', `${file} does not open with its age identity`, {
      cause,
      remedy: 'restore the file or the identity it was made with',
    })
  }
}

export async function writeAgeFile(
  file: string,
  identity: string,
  secrets: ReadonlyMap<string, string>,
): Promise<void> {
  const encrypter = new Encrypter()
  encrypter.addRecipient(await identityToRecipient(identity.trim()))
  const sorted = Object.fromEntries([...secrets].sort(([a], [b]) => (a < b ? -1 : 1)))
  const bytes = await encrypter.encrypt(JSON.stringify(sorted))
  await mkdir(dirname(file), { recursive: true })
  const fresh = `${file}.${randomBytes(4).toString('hex')}`
  const handle = await open(fresh, 'wx', 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(fresh, file)
}

/** The identity of this data folder, made on first use: `<root>/credentials/secrets-identity`, 0600. */
export async function ownIdentity(root: string, make: boolean): Promise<string | null> {
  const file = join(root, 'credentials', 'secrets-identity')
  try {
    if (((await stat(file)).mode & 0o077) !== 0)
      throw fail('SW_SECRET_MISSING', `others may read ${file}`, { remedy: `chmod 600 ${file}` })
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
  if (!make) return null
  await mkdir(dirname(file), { recursive: true })
  const identity = await generateX25519Identity()
  const handle = await open(file, 'wx', 0o600)
  await handle.writeFile(`${identity}\n`)
  await handle.close()
  await chmod(file, 0o600)
  return identity
}
