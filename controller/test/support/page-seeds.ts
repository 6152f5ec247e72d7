import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/lib/clock.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import { readAddress } from '../../src/store/embedded/cluster-config.ts'
import { DATABASE, OWNER, readPassword } from '../../src/store/embedded/credentials.ts'
import { appendEvents } from '../../src/store/log.ts'
import type { NewEvent } from '../../src/store/ports.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { transact } from '../../src/store/transact.ts'
import { quietLog } from './quiet-log.ts'

/** As much as a long life leaves behind, written straight into the database of a server that runs. */

/** A process beside the server, on its embedded database; end it. */
export async function joinDatabase(dataDir: string): Promise<Store> {
  const folder = join(dataDir, 'postgres')
  const major = readdirSync(folder).find((entry) => existsSync(join(folder, entry, 'postgresql.conf')))
  const address = major === undefined ? null : await readAddress(join(folder, major))
  const password = await readPassword(dataDir)
  if (address === null || password === null) throw new Error(`there is no database in ${dataDir}`)
  const url = `postgres://${OWNER}:${encodeURIComponent(password)}@${address.host}:${address.port}/${DATABASE}`
  return openStore(
    { url, directUrl: url, ownerUrl: url, namedStatements: true },
    {
      ...{ clock: systemClock, roles: ['seeds'], host: 'seeds', dataDirLocked: false, log: quietLog },
      onLeaseLost: () => {},
    },
  )
}

/** Runs like one that ended, one a minute before it and before each other: most completed, some failed, a few cancelled. */
export async function seedRuns(store: Store, template: string, count: number): Promise<void> {
  const error = { code: 'tool_failed', category: 'tool', message: 'ssh.run: exit 1', retryable: false }
  await transact(store, async (tx) => {
    await tx`
      INSERT INTO runs (run_id, namespace, name, blueprint_uid, blueprint, revision, plan_digest, status, trigger, inputs, outputs,
                        error, actor, correlation_id, created_at, started_at, completed_at)
      SELECT gen_random_uuid(), r.namespace, r.blueprint || '-' || lpad(n::text, 6, '0'), r.blueprint_uid, r.blueprint, r.revision,
             r.plan_digest, s.status, r.trigger, r.inputs, CASE WHEN s.status = 'completed' THEN r.outputs END,
             CASE WHEN s.status = 'failed' THEN ${tx.json(error)}::jsonb END, r.actor, r.correlation_id,
             r.created_at - n * interval '1 minute', r.created_at - n * interval '1 minute',
             r.created_at - n * interval '1 minute' + (n % 50) * interval '1 second'
      FROM runs r, generate_series(1, ${count}::int) n,
           LATERAL (SELECT CASE WHEN n % 17 = 0 THEN 'failed' WHEN n % 41 = 0 THEN 'cancelled' ELSE 'completed' END AS status) s
      WHERE r.run_id = ${template}`
  })
}

const BATCH = 5_000

/** Events of a program that says much, in the log as any other: their digests are right. */
export async function seedEvents(store: Store, count: number): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    const at = new Date(Date.now() - (count - from))
    const events = Array.from({ length: Math.min(BATCH, count - from) }, (_, i): NewEvent => {
      const n = from + i
      return {
        event_id: uuidv7(at.getTime()),
        event_name: n % 50 === 0 ? 'shop.order.failed' : n % 3 === 0 ? 'shop.order.paid' : 'shop.page.viewed',
        occurred_at: at,
        env_id: 'default',
        actor: `key:shop-${n % 7}`,
        correlation_id: `order-${n % 1000}`,
        data: { n, page: `/goods/${n % 997}`, ms: (n * 37) % 900 },
      }
    })
    await transact(store, (tx) => appendEvents(tx, store, events))
  }
}

const MODELS = [
  ['anthropic', 'claude-sonnet', 'sre', 'platform'],
  ['anthropic', 'claude-haiku', 'docs-reviewer', 'platform'],
  ['openai', 'gpt-5', 'openai', 'web'],
  ['openai', 'gpt-5-mini', 'investigator', 'web'],
  ['ollama', 'qwen3', 'scribe', null],
] as const
const DAY_MS = 86_400_000

/** A month of spending, every model on every day, more on working days. */
export async function seedCosts(store: Store, days = 30): Promise<void> {
  const rows = Array.from({ length: days }, (_, ago) => new Date(Date.now() - ago * DAY_MS)).flatMap((at, ago) =>
    MODELS.map(([provider, model, agent, project], place) => {
      const isWeekend = at.getUTCDay() % 6 === 0
      const tokens = Math.round((isWeekend ? 9_000 : 42_000) * (1 + ((ago * 7 + place * 5) % 11) / 11))
      return {
        cost_id: uuidv7(at.getTime()),
        ...{ occurred_at: at, recorded_at: at, namespace: 'default', project, agent, provider, model },
        amount: String(tokens * (5 - place) * 900),
        ...{ input_tokens: Math.round(tokens * 0.8), output_tokens: Math.round(tokens * 0.2), tokens },
        ...{ recorded_by: `agent:default/${agent}`, correlation_id: 'seeds' },
      }
    }),
  )
  await transact(store, async (tx) => {
    await tx`INSERT INTO ledger_entries ${tx(rows)}`
  })
}
