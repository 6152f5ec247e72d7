import { fail } from '../../lib/error-catalogue.ts'
import type { AuthMode } from '../auth/principal.ts'

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/** Which names a request may carry: ours, so that a web page on another name (or a re-bound DNS name) cannot speak to us. */
export interface TrustedHosts {
  /** Names beside the loopback ones, lower case, without a port; `*` is not a name. */
  readonly names: readonly string[]
  /** Whole origins that may call from a browser beside our own, e.g. `http://localhost:5173`. */
  readonly origins: readonly string[]
}

/**
 * Mode `none` lets anybody read who reaches the listener, so it may listen on the loopback only: throws SW_CONFIG_INVALID
 * for any other address.
 */
export function checkBinding(hosts: readonly string[], mode: AuthMode): void {
  const open = hosts.filter((host) => host !== 'localhost' && host !== '::1' && !/^127\.\d+\.\d+\.\d+$/.test(host))
  if (mode !== 'none' || open.length === 0) return
  throw fail('SW_CONFIG_INVALID', `auth mode "none" may listen on the loopback only, not on ${open.join(', ')}`, {
    remedy: 'use --auth token or --auth oidc, or listen on 127.0.0.1 and ::1',
  })
}

/** The host of `Host: [::1]:8088` is `[::1]`; of `LOCALHOST:1` it is `localhost`. */
function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '')
}

/**
 * Throws SW_HOST_REFUSED unless `Host` is one of our names and `Origin`, when a browser sends one, is that same host or
 * one that was configured. The port is not compared with ours: it differs behind a port forward.
 */
export function checkHost(
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  trusted: TrustedHosts,
): void {
  const host = headers.host ?? ''
  const name = nameOf(host)
  if (!LOOPBACK.includes(name) && !trusted.names.includes(name)) {
    throw fail('SW_HOST_REFUSED', `this server does not answer to the name "${printable(host)}"`)
  }
  const origin = headers.origin
  if (origin === undefined || trusted.origins.includes(origin)) return
  if (
    origin.toLowerCase() !== `http://${host.toLowerCase()}` &&
    origin.toLowerCase() !== `https://${host.toLowerCase()}`
  ) {
    throw fail('SW_HOST_REFUSED', `pages of "${printable(origin)}" may not call this server`)
  }
}

function printable(text: string): string {
  return text.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?')
}
