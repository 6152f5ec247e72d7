// What to do about services that are down, in the order in which a person would try it.

const RUNBOOKS = [
  {
    match: /nginx|apache|haproxy|caddy|traefik/,
    cause: 'a configuration that does not load, or a port that is taken',
    steps: [
      'check the configuration (nginx -t, apachectl configtest, haproxy -c)',
      'restart the service',
      'ask for the status page',
    ],
    restart: true,
  },
  {
    match: /postgres|mysql|mariadb/,
    cause: 'a full disk, or too many connections',
    steps: [
      'check the free disk of the data folder',
      'look at the end of the server log',
      'restart only when both are fine',
    ],
    restart: false,
  },
  {
    match: /ssh/,
    cause: 'a configuration that does not load, or a host that is overloaded',
    steps: ['log in on the console', 'check the configuration (sshd -t)', 'restart the service'],
    restart: true,
  },
  {
    match: /docker|containerd|kubelet/,
    cause: 'a full disk below /var/lib, or a node under memory pressure',
    steps: ['check disk and memory', 'remove images that nothing uses', 'restart the service'],
    restart: true,
  },
  {
    match: /disk|filesystem/,
    cause: 'logs or backups that are not rotated',
    steps: ['find the largest folders (du -xh --max-depth=2 /)', 'rotate or remove what is old'],
    restart: false,
  },
]

const UNKNOWN = {
  cause: 'unknown to the table of runbooks',
  steps: [
    'read the log of the last hour (journalctl -u <service> --since -1h)',
    'restart the service once',
    'ask its owner',
  ],
  restart: true,
}

/** @param {{host?: unknown, service?: unknown}} inputs of the run */
export function suggest({ host, service }) {
  const name = String(service ?? 'the service')
  const book = RUNBOOKS.find(({ match }) => match.test(name.toLowerCase())) ?? UNKNOWN
  return {
    summary: `${name} on ${String(host ?? 'the host')}: most likely ${book.cause}`,
    likely_cause: book.cause,
    plan: book.steps,
    restart_is_safe: book.restart,
    known: book !== UNKNOWN,
    answered_by: 'rules, not a model',
  }
}
