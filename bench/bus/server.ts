import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify from 'fastify'
import { adminCredentialPath } from '../../controller/src/api/auth/admin-credential.ts'
import { startStateward } from '../../controller/src/build/stateward.ts'
import { loadConfig } from '../../controller/src/config/load-config.ts'
import { connect } from '../../controller/src/store/database.ts'
import { silentLogger } from '../../controller/src/telemetry/logger.ts'
import { answer } from '../support/child-process.ts'

export type Subject = 'insert' | 'coalesced' | 'stateward'

export interface ServerOrder {
  readonly subject: Subject
  readonly databaseUrl: string
  readonly dataDir: string
  readonly repo: string
}

export interface ServerAnswer {
  readonly url: string
  /** Of the administrator; '' where nobody asks. */
  readonly token: string
}

answer(async (message) => {
  const order = message as ServerOrder
  const started = order.subject === 'stateward' ? await startProduct(order) : await startFloor(order)
  process.once('SIGTERM', () => void started.stop().then(() => process.exit(0)))
  return { url: started.url, token: started.token }
})

interface Started extends ServerAnswer {
  stop(): Promise<void>
}

async function startProduct({ databaseUrl, dataDir, repo }: ServerOrder): Promise<Started> {
  const { config } = loadConfig({
    env: {},
    cwd: dataDir,
    // Without limits: the bench asks more often than anybody may.
    flags: {
      data: mkdtempSync(join(dataDir, 'server-')),
      databaseUrl,
      repo,
      port: '0',
      limitsPerPrincipal: '0',
      limitsTotal: '0',
    },
  })
  const stateward = await startStateward({
    config,
    environment: { PATH: process.env['PATH'] },
    log: silentLogger(),
    directory: null,
    onLeaseLost: () => process.exit(70),
  })
  const token = readFileSync(adminCredentialPath(config.data), 'utf8').trim()
  return { url: stateward.url, token, stop: () => stateward.stop() }
}

/** What is left when a route does nothing but insert: one insert a request, or one for all that came meanwhile. */
async function startFloor({ subject, databaseUrl }: ServerOrder): Promise<Started> {
  const sql = connect(databaseUrl, { max: 10, applicationName: 'bench floor', namedStatements: true })
  await sql`CREATE TABLE IF NOT EXISTS floor_rows (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, data jsonb NOT NULL)`
  const coalesced = coalescing(async (rows: readonly { name: string; data: string }[]) => {
    const names = rows.map(({ name }) => name)
    await sql`INSERT INTO floor_rows (name, data)
      SELECT name, data::jsonb FROM unnest(${names}::text[], ${rows.map(({ data }) => data)}::text[]) AS r (name, data)`
  })
  const app = Fastify()
  app.post('/rows', async (request, reply) => {
    const { event_name: name, data } = request.body as { event_name: string; data: object }
    if (subject === 'insert')
      await sql`INSERT INTO floor_rows (name, data) VALUES (${name}, ${JSON.stringify(data)}::text::jsonb)`
    else await coalesced({ name, data: JSON.stringify(data) })
    reply.code(201)
    return { name }
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    url,
    token: '',
    async stop() {
      await app.close()
      await sql.end()
    },
  }
}

/** One call at a time; what comes meanwhile goes together in the next. */
function coalescing<T>(write: (rows: readonly T[]) => Promise<void>): (row: T) => Promise<void> {
  let waiting: { readonly row: T; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = []
  let isWriting = false
  const flush = async (): Promise<void> => {
    isWriting = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await write(batch.map(({ row }) => row))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    isWriting = false
  }
  return (row) =>
    new Promise((resolve, reject) => {
      waiting.push({ row, resolve, reject })
      if (!isWriting) setImmediate(() => void (isWriting ? undefined : flush()))
    })
}
