import { readFileSync } from 'node:fs'
import { adminCredentialPath } from '../../src/api/auth/admin-credential.ts'
import { sha256 } from '../../src/lib/digest.ts'
import { newToken, uuidv7 } from '../../src/lib/ids.ts'
import type { Installation } from './stateward.ts'

export interface Reply {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every route
  readonly body: any
}

export type Call = (method: string, path: string, body?: unknown) => Promise<Reply>

/** Speaks with a server as the holder of a token. */
export function callerWith(here: Installation, token: string, more: Record<string, string> = {}): Call {
  return async (method, path, body) => {
    const response = await fetch(here.stateward.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...more,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? null : JSON.parse(text) }
  }
}

export function adminToken(here: Installation): string {
  return readFileSync(adminCredentialPath(here.dataDir), 'utf8').trim()
}

export const asAda = (here: Installation): Call => callerWith(here, adminToken(here), { 'x-stateward-user': 'ada' })

export interface Worker {
  readonly instanceId: string
  readonly token: string
  readonly call: Call
  pickup(max?: number): Promise<{ task_id: string; attempt: number; prompt: string; data_access: string }[]>
  report(task: { readonly task_id: string; readonly attempt: number }, result: object): Promise<Reply>
}

/** An instance of a declared agent that is no process: its row, its token, and somebody who speaks for it. */
export async function joinAs(here: Installation, agent: string, ordinal = 0): Promise<Worker> {
  const { uid } = here.object(`Agent/default/${agent}`)
  const token = newToken('a')
  const id = uuidv7()
  await here.sql`
    INSERT INTO instances (id, agent_uid, namespace, agent, ordinal, host, mode, state, slots, launch_digest, boot_id, token_sha256,
                           restart_count, crash_count, created_at)
    VALUES (${id}, ${uid}, 'default', ${agent}, ${ordinal}, 'elsewhere', 'daemon', 'starting', 1, 'd', 'b', ${sha256(token)}, 0, 0, ${new Date()})`
  const call = callerWith(here, token)
  const registered = await call('POST', '/api/v1/agents/register', { instance_id: id, protocol: 1 })
  if (registered.status !== 200) throw new Error(`not registered: ${JSON.stringify(registered.body)}`)
  return {
    instanceId: id,
    token,
    call,
    async pickup(max = 1) {
      const { body } = await call('POST', `/api/v1/agents/${agent}/pickup`, { instance_id: id, max })
      return body?.tasks ?? []
    },
    report: (task, result) => call('PATCH', `/api/v1/tasks/${task.task_id}`, { attempt: task.attempt, ...result }),
  }
}
