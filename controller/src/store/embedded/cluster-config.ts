import { chown, readFile, rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import type { OsUser } from './os-user.ts'

/** Where the server listens: one loopback address, and a port that was free when it was chosen. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** Only password-proven TCP from this machine; there is no Unix socket. */
const HBA = `# Written by Stateward at every start.
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
`

/**
 * The whole postgresql.conf, written at every start; ALTER SYSTEM (postgresql.auto.conf) still wins over it.
 * fsync, full_page_writes and synchronous_commit keep their defaults: on.
 */
function settings(address: Address): string {
  return `# Written by Stateward at every start. To change a setting, use ALTER SYSTEM.
listen_addresses = '${address.host}'
port = ${address.port}
unix_socket_directories = ''
max_connections = 100
superuser_reserved_connections = 3
password_encryption = 'scram-sha-256'
shared_buffers = '64MB'
max_wal_size = '512MB'
checkpoint_timeout = '15min'
jit = off
io_method = 'sync'
max_parallel_workers_per_gather = 0
max_worker_processes = 4
max_logical_replication_workers = 0
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, mdy'
lc_messages = 'C'
log_line_prefix = '%m [%p] %q%a '
log_checkpoints = off
`
}

/**
 * The address of the last start, when its port still is free, else a new one; written down in the cluster's settings.
 * `keepAddress`: clients know it and cannot be told of another, so SW_PG_START when it is taken.
 */
export async function configureCluster(cluster: string, user: OsUser | null, keepAddress: boolean): Promise<Address> {
  const stored = await readAddress(cluster)
  const free = stored !== null && (await isFree(stored))
  if (stored !== null && !free && keepAddress)
    throw fail('SW_PG_START', `something else listens on the database's address ${stored.host}:${stored.port}`)
  const address = free ? stored : await freeAddress()
  await write(join(cluster, 'postgresql.conf'), settings(address), user)
  await write(join(cluster, 'pg_hba.conf'), HBA, user)
  return address
}

/** What the settings say; null for a cluster that was never configured. */
export async function readAddress(cluster: string): Promise<Address | null> {
  const text = await readFile(join(cluster, 'postgresql.conf'), 'utf8')
  const host = /^listen_addresses = '([^']+)'$/m.exec(text)?.[1]
  const port = /^port = (\d+)$/m.exec(text)?.[1]
  return host === undefined || port === undefined ? null : { host, port: Number(port) }
}

/** Replaces a file only when its text differs, and never leaves half of it. */
async function write(path: string, text: string, user: OsUser | null): Promise<void> {
  if ((await readFile(path, 'utf8')) === text) return
  const fresh = `${path}.new`
  await writeFile(fresh, text, { mode: 0o600 })
  if (user !== null) await chown(fresh, user.uid, user.gid)
  await rename(fresh, path)
}

async function freeAddress(): Promise<Address> {
  for (const host of ['127.0.0.1', '::1']) {
    const port = await listenOnce(host, 0)
    if (port !== null) return { host, port }
  }
  throw fail('SW_PG_START', 'no loopback address can be listened on', {
    remedy: 'bring the loopback interface up, or set DATABASE_URL to a server',
  })
}

async function isFree(address: Address): Promise<boolean> {
  return (await listenOnce(address.host, address.port)) !== null
}

/** The port listened on for a moment; null when it cannot be. */
function listenOnce(host: string, port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null))
    })
  })
}
