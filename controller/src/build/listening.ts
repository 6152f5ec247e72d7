import { hostname } from 'node:os'
import type { FrontOptions } from '../api/http/front.ts'
import { ensureCertificate, readCertificate, type ServerCertificate } from '../api/tls/certificates.ts'
import type { Config } from '../config/schema.ts'
import { fail } from '../lib/error-catalogue.ts'

/** Where a process listens. */
export function listenOf(config: Config, certificate: ServerCertificate | null): FrontOptions {
  const { host: hosts, port, tlsPort, socket } = config
  const secure = tlsPort ?? (port === 0 ? 0 : Math.min(port + 2, 65_535))
  const tls = certificate === null ? null : { port: secure, keys: certificate, optional: tlsPort === null }
  return { hosts, port, streamsPort: streamsPortOf(config), tls, socket, authMode: config.auth.mode }
}

/** What the listener over TLS shows; null = there is none. */
export async function certificateOf(config: Config, root: string, now: Date): Promise<ServerCertificate | null> {
  const { cert, key, ca } = config.tls
  if (config.tlsPort === 0) return null
  if ((cert === null) !== (key === null))
    throw fail('SW_CONFIG_INVALID', 'of tls.cert and tls.key only one is set', { remedy: 'set both, or neither' })
  if (cert !== null && key !== null) return readCertificate({ cert, key, ca })
  const named = config.host.filter((host) => host !== '0.0.0.0' && host !== '::')
  return ensureCertificate(
    root,
    [...new Set(['localhost', '127.0.0.1', '::1', hostname(), ...named, ...config.names])],
    now,
  )
}

/** The port after that of the API, unless it is configured; null = off. */
function streamsPortOf({ port, ssePort }: Config): number | null {
  if (ssePort === null) return port === 0 ? 0 : Math.min(port + 1, 65_535)
  return ssePort === 0 ? null : ssePort
}
