import { afterAll, beforeAll, expect, it } from 'vitest'
import { createSite, type ServerProcess, type Site } from '../support/server-processes.ts'
import { manifest } from '../support/state-files.ts'

const SENDS = 500
/** Of these the process that answers is killed. */
const ANSWERS_BEFORE_KILL = 150
const SENDERS = 10

let site: Site
beforeAll(async () => {
  site = await createSite()
  site.push({
    'sink.yaml': manifest('Agent', 'sink', { runtime: { process: { command: ['cat'], mode: 'perTask' } } }),
  })
})
afterAll(() => site.end())

it('keeps every message that was answered with 201 when the process is killed, and sends none twice', async () => {
  let server: ServerProcess = await site.start('controller,api,worker')
  let answered = 0
  let restarted: Promise<void> | null = null
  const ids = new Map<string, Set<string>>()
  const killAndRestart = async (): Promise<void> => {
    const killed = server
    killed.signal('SIGKILL')
    await killed.exited
    server = await site.start('controller,api,worker')
  }
  /** One attempt: the id that 201 names, or null when nobody answered so. */
  const attempt = async (key: string): Promise<string | null> => {
    try {
      const { status, body } = await site.post(server, '/api/v1/messages', {
        to: { agent: 'sink' },
        body: `message ${key}`,
        idempotency_key: key,
      })
      if (status === 201) return String(body['message_id'])
      // Until the limit of requests a second lets it through, or the new process is there.
      if (status === 429 || status === 503) return null
      throw new Error(`${status} ${JSON.stringify(body)}`)
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError) return null
      throw error
    }
  }
  const send = async (key: string): Promise<void> => {
    for (;;) {
      const id = await attempt(key)
      if (id !== null) {
        ids.set(key, (ids.get(key) ?? new Set()).add(id))
        answered += 1
        if (answered === ANSWERS_BEFORE_KILL) restarted = killAndRestart()
        return
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const keys = Array.from({ length: SENDS }, (_, n) => `key-${n}`)
  const queue = [...keys]
  const sender = async (): Promise<void> => {
    for (let key = queue.shift(); key !== undefined; key = queue.shift()) await send(key)
  }
  await Promise.all(Array.from({ length: SENDERS }, sender))
  await restarted
  // Those that were answered before are asked for once more: the answer is the same.
  for (const key of keys.slice(0, 20)) {
    const id = await attempt(key)
    if (id !== null) ids.get(key)!.add(id)
  }
  const stored = await site.sql<{ idempotency_key: string; message_id: string }[]>`
    SELECT idempotency_key, message_id FROM messages`
  expect(stored.length).toBe(SENDS)
  const byKey = new Map(stored.map((row) => [row.idempotency_key, row.message_id]))
  for (const key of keys) expect([key, [...ids.get(key)!]]).toEqual([key, [byKey.get(key)]])
  const [pending] = await site.sql`SELECT count(*)::int AS count FROM deliveries WHERE acked_at IS NULL`
  expect(pending!['count']).toBe(SENDS)
  const [sent] = await site.sql`
    SELECT count(*)::int AS count, count(DISTINCT event_id)::int AS different FROM events WHERE event_name = 'stateward.message.sent'`
  expect(sent).toMatchObject({ count: SENDS, different: SENDS })
})
