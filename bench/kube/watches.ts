import { setTimeout as delay } from 'node:timers/promises'
import { uuidv7 } from '../../controller/src/lib/ids.ts'
import { connect, type DatabaseUrls } from '../../controller/src/store/database.ts'
import { appendEvents } from '../../controller/src/store/log.ts'
import type { Store } from '../../controller/src/store/store.ts'
import { transact } from '../../controller/src/store/transact.ts'

const PATH = '/kube/apis/stateward.dev/v1alpha1/agents'
const PAUSE_MS = 15

/** Seconds from before a change is written, by another process than the server, until a watch on everything has its line. */
export async function watchLatency(url: string, store: Store, changes: number): Promise<number[]> {
  const { metadata } = (await (await fetch(`${url}${PATH}?limit=1`)).json()) as {
    metadata: { resourceVersion: string }
  }
  const aborted = new AbortController()
  const query = `?watch=true&resourceVersion=${metadata.resourceVersion}`
  const response = await fetch(`${url}${PATH}${query}`, { signal: aborted.signal })
  const arrivals = new Map<string, (at: number) => void>()
  const reading = readLines(response.body!, (line, at) => {
    const { object } = JSON.parse(line) as { object: { metadata: { name: string } } }
    arrivals.get(object.metadata.name)?.(at)
  }).catch((error: unknown) => {
    if (!aborted.signal.aborted) throw error
  })
  const objects = await store.engine<{ uid: string; name: string }[]>`
    SELECT uid, name FROM objects WHERE kind = 'Agent' ORDER BY name LIMIT ${changes}`
  const seconds: number[] = []
  for (const { uid, name } of objects) {
    const arrived = new Promise<number>((resolve) => arrivals.set(name, resolve))
    const from = performance.now()
    await touch(store, uid, name)
    seconds.push(((await arrived) - from) / 1000)
    arrivals.delete(name)
    await delay(PAUSE_MS)
  }
  aborted.abort()
  await reading
  return seconds
}

/** What a change of an object's status is: its event, and its row. */
async function touch(store: Store, uid: string, name: string): Promise<void> {
  await transact(store, async (tx) => {
    const event = {
      ...{ event_id: uuidv7(), event_name: 'stateward.object.status_changed', occurred_at: new Date() },
      ...{ env_id: 'default', actor: 'system', correlation_id: 'bench' },
      resource: { type: 'Agent', id: uid },
      data: { namespace: 'default', name },
    }
    const { lastSeq } = await appendEvents(tx, store, [event])
    await tx`UPDATE objects SET resource_version = ${lastSeq} WHERE uid = ${uid}`
  })
}

async function readLines(body: ReadableStream<Uint8Array>, line: (text: string, at: number) => void): Promise<void> {
  let rest = ''
  for await (const chunk of body) {
    const at = performance.now()
    const parts = (rest + Buffer.from(chunk).toString('utf8')).split('\n')
    rest = parts.pop()!
    for (const part of parts) line(part, at)
  }
}

/** The floor: the row alone is written and notified, and who listens reads it. */
export async function notifyFloor(urls: DatabaseUrls, count: number): Promise<number[]> {
  const open = (name: string) => connect(urls.ownerUrl, { max: 1, applicationName: name, namedStatements: true })
  const [writer, listener, reader] = [open('bench writer'), open('bench listener'), open('bench reader')]
  try {
    await writer`CREATE TABLE bench_kube (n integer PRIMARY KEY, data jsonb NOT NULL)`
    let arrived: (at: number) => void = () => {}
    await listener.listen('bench_kube', async (n) => {
      await reader`SELECT data FROM bench_kube WHERE n = ${Number(n)}`
      arrived(performance.now())
    })
    const seconds: number[] = []
    for (let n = 0; n < count; n++) {
      const heard = new Promise<number>((resolve) => (arrived = resolve))
      const from = performance.now()
      await writer.begin(async (tx) => {
        await tx`INSERT INTO bench_kube VALUES (${n}, ${tx.json({ n })})`
        await tx`SELECT pg_notify('bench_kube', ${String(n)})`
      })
      seconds.push(((await heard) - from) / 1000)
      await delay(PAUSE_MS)
    }
    await writer`DROP TABLE bench_kube`
    return seconds
  } finally {
    await Promise.all([writer.end(), listener.end(), reader.end()])
  }
}
