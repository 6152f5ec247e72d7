import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { readAdminCredential } from '../../api/auth/admin-credential.ts'
import type { LoadedConfig } from '../../config/load-config.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage } from '../../lib/errors.ts'
import { isObject } from '../../lib/json.ts'
import { type ApiClient, createApiClient } from './api-client.ts'

/**
 * The API this command line means. Address: --server, STATEWARD_SERVER, the file; what the server of the data folder wrote
 * there; else the configured port on this machine. Credential: --token, STATEWARD_TOKEN; else the admin credential of the
 * data folder, which is sent to addresses of this machine only.
 */
export async function connect(loaded: LoadedConfig): Promise<ApiClient> {
  return createApiClient(await connectionOf(loaded))
}

export interface ConnectionTarget {
  /** Without a slash at the end. */
  readonly server: string
  readonly token: string | null
  /** The person behind an admin credential. */
  readonly user: string | null
}

/** The same without a client. */
export async function connectionOf({ config }: LoadedConfig): Promise<ConnectionTarget> {
  const server = serverUrl(
    config.server ?? (await writtenServer(config.data)) ?? `http://127.0.0.1:${config.port || 8088}`,
  )
  const token = config.token ?? (isThisMachine(server) ? await localCredential(config.data) : null)
  return { server, token, user: token?.startsWith('swk_') ? osUser() : null }
}

/** Who decides is kept with each decision: the admin credential speaks for the user who holds it. */
function osUser(): string | null {
  try {
    const { username } = userInfo()
    return /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/.test(username) ? username : null
  } catch {
    // A user id without an entry in the user database: common in containers.
    return null
  }
}

/** Null also where the file belongs to somebody else: the server then says what a caller without a credential may not do. */
async function localCredential(data: string): Promise<string | null> {
  try {
    return await readAdminCredential(data)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EACCES' || code === 'EPERM' || code === 'ENOTDIR') return null
    throw error
  }
}

function serverUrl(text: string): string {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw fail('SW_CONFIG_INVALID', `server is no http address: ${text}`, {
      remedy: 'write it like http://127.0.0.1:8088',
    })
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

export function isThisMachine(server: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(new URL(server).hostname)
}

/** The address a running server wrote into its data folder: `server.json` holds `{"url": "http://127.0.0.1:8088", "pid": 1}`. */
async function writtenServer(data: string): Promise<string | null> {
  const path = join(data, 'server.json')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw fail('SW_CONFIG_INVALID', `${path} cannot be read: ${errorMessage(error)}`, { cause: error })
  }
  try {
    const written: unknown = JSON.parse(text)
    if (isObject(written) && typeof written['url'] === 'string') return written['url']
  } catch {
    // Half written by a server that is just starting, or damaged: the default address is as good a guess.
  }
  return null
}
