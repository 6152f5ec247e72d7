import { createHmac, timingSafeEqual } from 'node:crypto'
import { globMatches } from '../../lib/glob.ts'

/** Whether lines as of `known_hosts` name this key for this host: plain and hashed names, patterns, `@revoked`. */
export function isKnownHost(
  lines: string,
  { host, port }: { readonly host: string; readonly port: number },
  key: Buffer,
): boolean {
  const name = port === 22 ? host : `[${host}]:${port}`
  let isKnown = false
  for (const line of lines.split('\n')) {
    const words = line.trim().split(/\s+/)
    if (words[0] === '' || words[0]!.startsWith('#')) continue
    const marker = words[0]!.startsWith('@') ? words.shift() : undefined
    const [names = '', , text = ''] = words
    const its = Buffer.from(text, 'base64')
    if (its.length !== key.length || !timingSafeEqual(its, key) || !isNamed(names, name)) continue
    if (marker === '@revoked') return false
    // A certificate authority vouches for certificates, which are not asked for.
    if (marker === undefined) isKnown = true
  }
  return isKnown
}

function isNamed(names: string, name: string): boolean {
  if (names.startsWith('|1|')) {
    const [, , salt = '', hash = ''] = names.split('|')
    const given = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest()
    const wanted = Buffer.from(hash, 'base64')
    return wanted.length === given.length && timingSafeEqual(wanted, given)
  }
  const patterns = names.toLowerCase().split(',')
  const own = name.toLowerCase()
  const fits = (pattern: string) => globMatches(pattern, own)
  return (
    patterns.some((one) => !one.startsWith('!') && fits(one)) &&
    !patterns.some((one) => one.startsWith('!') && fits(one.slice(1)))
  )
}
