import { createDecipheriv } from 'node:crypto'
import { fail } from '../../lib/error-catalogue.ts'

const ENCRYPTED = /^ENC\[AES256_GCM,data:([^,]*),iv:([^,]+),tag:([^,]+),type:([a-z0-9]+)\]$/

/** Whether a text is one that SOPS encrypted. */
export function isEncrypted(text: string): boolean {
  return ENCRYPTED.test(text)
}

/**
 * The bytes behind an encrypted value. `path` is authenticated with it, so a value that was moved to another key does not
 * open. Throws SW_SECRET_MISSING.
 */
export function decryptValue(text: string, key: Uint8Array, path: string): Buffer {
  const [, data, iv, tag] = ENCRYPTED.exec(text) ?? []
  if (data === undefined) throw broken(path)
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv!, 'base64'))
    decipher.setAAD(Buffer.from(path))
    decipher.setAuthTag(Buffer.from(tag!, 'base64'))
    return Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()])
  } catch (cause) {
    throw fail('SW_SECRET_MISSING', `the value at ${path} of the SOPS file does not open: it was changed by hand`, {
      cause,
      remedy: 'edit the file with `sops edit`',
    })
  }
}

function broken(path: string): Error {
  return fail('SW_SECRET_MISSING', `the value at ${path} of the SOPS file is not one that SOPS made`, {
    remedy: 'edit the file with `sops edit`',
  })
}
