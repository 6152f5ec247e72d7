import { X509Certificate } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import forge from 'node-forge'
import { fail } from '../../lib/error-catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'

/** What a listener shows to its clients, in PEM. */
export interface ServerCertificate {
  readonly cert: string
  readonly key: string
  /** What clients trust it by; null = what their system trusts. */
  readonly ca: string | null
}

const DAY_MS = 86_400_000
const CA_DAYS = 3650
/** Clients refuse certificates that are good for longer than 825 days. */
const SERVER_DAYS = 397
const RENEW_DAYS = 30
const BITS = 2048

/**
 * The certificate of this installation for the given names, signed by an authority of its own: both are made at the first
 * need below `<folder>/tls`, the keys readable by their owner only. A new certificate is made when a name is missing from it
 * or it ends within 30 days; the authority, which clients remember, stays. Throws SW_CONFIG_INVALID when what stands there
 * cannot be read.
 */
export async function ensureCertificate(
  folder: string,
  names: readonly string[],
  now: Date,
): Promise<ServerCertificate> {
  const place = join(folder, 'tls')
  await mkdir(place, { recursive: true, mode: 0o700 })
  const at = (file: string) => join(place, file)
  const authority = (await pairAt(at('ca.crt'), at('ca.key'))) ?? (await newAuthority(at, now))
  const known = await pairAt(at('server.crt'), at('server.key'))
  if (known !== null && isGood(known.cert, authority.cert, names, now)) return { ...known, ca: authority.cert }
  const made = await newServerCertificate(authority, names, now)
  await writePair(at('server.crt'), at('server.key'), made)
  return { ...made, ca: authority.cert }
}

/** A certificate that somebody else made. Throws SW_CONFIG_INVALID. */
export async function readCertificate(files: {
  readonly cert: string
  readonly key: string
  readonly ca: string | null
}): Promise<ServerCertificate> {
  const read = async (file: string): Promise<string> => {
    try {
      return await readFile(file, 'utf8')
    } catch (error) {
      throw fail('SW_CONFIG_INVALID', `${file} cannot be read`, { cause: error })
    }
  }
  const [cert, key] = [await read(files.cert), await read(files.key)]
  return { cert, key, ca: files.ca === null ? null : await read(files.ca) }
}

interface Pair {
  readonly cert: string
  readonly key: string
}

async function pairAt(certFile: string, keyFile: string): Promise<Pair | null> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')])
    new X509Certificate(cert)
    return { cert, key }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw fail('SW_CONFIG_INVALID', `${certFile} and ${keyFile} are no certificate and its key`, {
      cause: error,
      remedy: 'remove both; the next start makes new ones',
    })
  }
}

/** The certificate last: one without its key would never be replaced. */
async function writePair(certFile: string, keyFile: string, { cert, key }: Pair): Promise<void> {
  for (const [file, text, mode] of [
    [keyFile, key, 0o600],
    [certFile, cert, 0o644],
  ] as const) {
    const part = `${file}.${uuidv7()}`
    await writeFile(part, text, { mode, flag: 'wx' })
    await chmod(part, mode)
    await rename(part, file)
  }
}

function isGood(cert: string, ca: string, names: readonly string[], now: Date): boolean {
  const certificate = new X509Certificate(cert)
  const authority = new X509Certificate(ca)
  const covers = (name: string) =>
    (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined
  return (
    certificate.validToDate.getTime() - now.getTime() > RENEW_DAYS * DAY_MS &&
    certificate.checkIssued(authority) &&
    certificate.verify(authority.publicKey) &&
    names.every(covers)
  )
}

async function newAuthority(at: (file: string) => string, now: Date): Promise<Pair> {
  const keys = await newKeys()
  const certificate = newCertificate(keys.publicKey, now, CA_DAYS)
  const subject = [{ name: 'commonName', value: `Stateward ${certificate.serialNumber.slice(0, 8)}` }]
  certificate.setSubject(subject)
  certificate.setIssuer(subject)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ])
  certificate.sign(keys.privateKey, forge.md.sha256.create())
  const made = { cert: forge.pki.certificateToPem(certificate), key: forge.pki.privateKeyToPem(keys.privateKey) }
  await writePair(at('ca.crt'), at('ca.key'), made)
  return made
}

async function newServerCertificate(authority: Pair, names: readonly string[], now: Date): Promise<Pair> {
  const issuer = forge.pki.certificateFromPem(authority.cert)
  const keys = await newKeys()
  const certificate = newCertificate(keys.publicKey, now, SERVER_DAYS)
  certificate.setSubject([{ name: 'commonName', value: names[0] ?? 'localhost' }])
  certificate.setIssuer(issuer.subject.attributes)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'authorityKeyIdentifier', keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes() },
    {
      name: 'subjectAltName',
      altNames: names.map((name) => (isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name })),
    },
  ])
  certificate.sign(forge.pki.privateKeyFromPem(authority.key), forge.md.sha256.create())
  return { cert: forge.pki.certificateToPem(certificate), key: forge.pki.privateKeyToPem(keys.privateKey) }
}

function newKeys(): Promise<forge.pki.rsa.KeyPair> {
  return new Promise((resolve, reject) => {
    forge.pki.rsa.generateKeyPair({ bits: BITS }, (error, keys) => (error === null ? resolve(keys) : reject(error)))
  })
}

/** Good since a day ago: clocks differ. */
function newCertificate(publicKey: forge.pki.PublicKey, now: Date, days: number): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = publicKey
  // Positive, and never the same: the first bit is 0.
  certificate.serialNumber = `4${forge.util.bytesToHex(forge.random.getBytesSync(16)).slice(1)}`
  certificate.validity.notBefore = new Date(now.getTime() - DAY_MS)
  certificate.validity.notAfter = new Date(now.getTime() + days * DAY_MS)
  return certificate
}
