// How much an alert matters, by rules a person can read. What it has seen lately it remembers, which is why it is a daemon.

const LEVELS = ['low', 'medium', 'high', 'critical']
const BY_STATE = { OK: 0, UP: 0, UNKNOWN: 1, WARN: 1, WARNING: 1, CRIT: 2, CRITICAL: 2, DOWN: 2, UNREACHABLE: 2 }

/** What others stand on, and where to look first. */
const SERVICES = [
  {
    match: /postgres|mysql|mariadb|oracle|mongo/,
    raise: 1,
    why: 'it is a database',
    look: ['df -h', 'free disk of the data volume, then the server log'],
  },
  {
    match: /dns|bind|unbound/,
    raise: 1,
    why: 'everything needs names',
    look: ['dig @localhost example.org', 'zones that do not load'],
  },
  {
    match: /ldap|keycloak|sso|auth/,
    raise: 1,
    why: 'nobody can log in',
    look: ['expired certificates', 'its database'],
  },
  {
    match: /nginx|apache|haproxy|ingress|caddy|http/,
    raise: 0,
    why: 'users see it',
    look: ['systemctl status', 'the last change of its configuration'],
  },
  {
    match: /disk|filesystem|inode/,
    raise: 0,
    why: 'a full disk stops what writes to it',
    look: ['df -h; df -i', 'logs that are not rotated'],
  },
  {
    match: /cert|tls|ssl/,
    raise: 0,
    why: 'it ends at a known hour',
    look: ['openssl x509 -enddate', 'the job that renews it'],
  },
  {
    match: /backup/,
    raise: -1,
    why: 'it hurts only when it is needed',
    look: ['the log of the last backup', 'space on the target'],
  },
]
const TEXTS = [
  { match: /no space left|disk full|100 ?%/i, raise: 1, why: 'the disk is full' },
  { match: /out of memory|oom/i, raise: 1, why: 'memory ran out' },
  { match: /certificate.*expired/i, raise: 1, why: 'a certificate has expired' },
]
const SPARES = /(^|[-.])(dev|test|staging|lab|sandbox)([-.0-9]|$)/

const FLAPPING_WINDOW_MS = 15 * 60_000
const FLAPPING_CHANGES = 3
const REMEMBERED = 5000

/** @param {() => number} now milliseconds since 1970 */
export function createTriage(now = Date.now) {
  /** The last states of each host and service, with when they came. */
  const history = new Map()

  function changesOf(key, state) {
    const recent = (history.get(key) ?? []).filter((seen) => now() - seen.at < FLAPPING_WINDOW_MS)
    if (recent.at(-1)?.state !== state) recent.push({ state, at: now() })
    history.delete(key)
    history.set(key, recent.slice(-20))
    // The one that was quiet for longest goes first.
    if (history.size > REMEMBERED) history.delete(history.keys().next().value)
    return recent.length - 1
  }

  /** @param {{host?: unknown, service?: unknown, state?: unknown, message?: unknown}} alert */
  return function triage(alert) {
    const host = String(alert.host ?? '').trim()
    const service = String(alert.service ?? '').trim()
    const state = String(alert.state ?? 'UNKNOWN').toUpperCase()
    if (host === '' || service === '') throw new TypeError('an alert has to name its host and its service')
    const reasons = [`it is ${state}`]
    let level = BY_STATE[state] ?? 1
    const firstLook = []
    if (level > 0) {
      const known = SERVICES.find(({ match }) => match.test(service.toLowerCase()))
      const rules = [known, ...TEXTS.filter(({ match }) => match.test(String(alert.message ?? '')))].filter(Boolean)
      for (const { raise, why } of rules) {
        level += raise
        reasons.push(why)
      }
      firstLook.push(...(known?.look ?? [`systemctl status ${service}`, `journalctl -u ${service} --since -1h`]))
      if (SPARES.test(host)) {
        level -= 1
        reasons.push('the host is not for production')
      }
    }
    const changes = changesOf(`${host}/${service}`, state)
    if (changes >= FLAPPING_CHANGES) {
      reasons.push(`it changed ${changes} times in 15 minutes: look for what makes it come and go`)
      level = Math.max(level, 1)
    }
    const severity = LEVELS[Math.max(0, Math.min(LEVELS.length - 1, level))]
    return {
      severity,
      flapping: changes >= FLAPPING_CHANGES,
      reasons,
      first_look: firstLook,
      summary: `${severity}: ${service} on ${host}, ${reasons.join('; ')}`,
    }
  }
}
