import { createHash } from 'node:crypto'
import { armor, Decrypter } from 'age-encryption'
import { load } from 'js-yaml'
import { fail } from '../../lib/error-catalogue.ts'
import { isObject } from '../../lib/json.ts'
import { decryptValue, isEncrypted } from './encrypted-value.ts'

/**
 * Opens a YAML or JSON file that SOPS encrypted for an age recipient, and proves with its MAC that nobody changed it: neither a
 * value nor, where SOPS was not told otherwise, one that stands in plain text. Answers with its texts by path (`github/token`);
 * numbers and booleans as text. Throws SW_SECRET_MISSING, saying what is wrong; never with a value.
 */
export async function openSops(text: string, identity: string): Promise<ReadonlyMap<string, string>> {
  const document = parsed(text)
  const metadata = document['sops']
  if (!isObject(metadata)) throw unusable('the file was not encrypted by SOPS', 'encrypt it: sops encrypt --age …')
  const key = await dataKey(metadata, identity)
  const onlyEncrypted = metadata['mac_only_encrypted'] === true
  const hash = createHash('sha512')
  if (onlyEncrypted) hash.update(MAC_OF_ENCRYPTED_ONLY)
  const values = new Map<string, string>()
  const walk = (at: unknown, path: readonly string[], place: readonly string[]): void => {
    if (Array.isArray(at)) for (const [i, item] of at.entries()) walk(item, path, [...place, String(i)])
    else if (isObject(at)) {
      for (const [member, value] of Object.entries(at)) {
        if (path.length === 0 && member === 'sops') continue
        walk(value, [...path, member], [...place, member])
      }
    } else if (at !== null && at !== undefined) {
      const encrypted = typeof at === 'string' && isEncrypted(at)
      const bytes = encrypted ? decryptValue(at, key, `${path.join(':')}:`) : plainBytes(at)
      if (encrypted || !onlyEncrypted) hash.update(bytes)
      values.set(place.join('/'), bytes.toString('utf8'))
    }
  }
  walk(document, [], [])
  verify(metadata, key, hash.digest('hex').toUpperCase())
  return values
}

/** What SOPS begins the MAC with when it leaves plain values out of it: sha256 of `sops`. */
const MAC_OF_ENCRYPTED_ONLY = createHash('sha256').update('sops').digest()

function parsed(text: string): Readonly<Record<string, unknown>> {
  let document: unknown
  try {
    document = load(text)
  } catch (cause) {
    throw fail('SW_SECRET_MISSING', 'the SOPS file is neither YAML nor JSON', { cause, remedy: 'restore the file' })
  }
  if (!isObject(document)) throw unusable('the SOPS file holds no map', 'SOPS encrypts maps: keys stay readable')
  return document
}

async function dataKey(metadata: Readonly<Record<string, unknown>>, identity: string): Promise<Uint8Array> {
  if (Array.isArray(metadata['key_groups']))
    throw unusable('the SOPS file needs keys of several groups', 'encrypt it for age recipients without key groups')
  const recipients = Array.isArray(metadata['age']) ? metadata['age'] : []
  if (recipients.length === 0)
    throw unusable('the SOPS file is for no age recipient', 'encrypt it: sops encrypt --age …')
  const decrypter = new Decrypter()
  try {
    for (const line of identity.split('\n').map((one) => one.trim()))
      if (line !== '' && !line.startsWith('#')) decrypter.addIdentity(line)
  } catch (cause) {
    throw fail('SW_SECRET_MISSING', 'what keyRef names is no age identity', {
      cause,
      remedy: 'store the line AGE-SECRET-KEY-1… that age-keygen made',
    })
  }
  for (const recipient of recipients) {
    const encrypted = isObject(recipient) ? recipient['enc'] : null
    if (typeof encrypted !== 'string') continue
    try {
      const key = await decrypter.decrypt(armor.decode(encrypted))
      if (key.length === 32) return key
    } catch {
      // It is for somebody else; another one may be for us.
    }
  }
  throw unusable('the SOPS file is not for the age identity of keyRef', 'add its recipient: sops updatekeys')
}

function verify(metadata: Readonly<Record<string, unknown>>, key: Uint8Array, computed: string): void {
  const { mac, lastmodified } = metadata
  const at = lastmodified instanceof Date ? lastmodified.toISOString().replace(/\.\d{3}Z$/, 'Z') : String(lastmodified)
  const wanted = typeof mac === 'string' ? decryptValue(mac, key, at).toString('utf8') : ''
  if (wanted !== computed) {
    throw unusable(
      'the MAC of the SOPS file does not fit: it was changed without SOPS',
      'edit the file with `sops edit`',
    )
  }
}

/** As SOPS counts what it left in plain text. */
function plainBytes(value: unknown): Buffer {
  if (typeof value === 'boolean') return Buffer.from(value ? 'True' : 'False')
  return Buffer.from(String(value))
}

function unusable(message: string, remedy: string): Error {
  return fail('SW_SECRET_MISSING', message, { remedy })
}
