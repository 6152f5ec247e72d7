import type { EventName } from '../events/catalogue.ts'
import { type SecretName, type SecretUse, secretText } from '../kinds/secret-ref.ts'
import { newCorrelationId, uuidv7 } from '../lib/ids.ts'
import { appendEvents } from '../store/log.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'

/** The same use by the same consumer is told again after this time: a webhook's key is used with every delivery. */
const AGAIN_MS = 10 * 60_000
const MAX_KEPT = 10_000

/** Tells the log of each use: name, consumer and where it came from. What belongs to a run is told each time. */
export function auditOfSecrets(
  store: Store,
  envId: (namespace: string) => string,
): (secret: SecretName, use: SecretUse, provider: string) => Promise<void> {
  const told = new Map<string, number>()
  return async (secret, use, provider) => {
    const now = store.clock.now()
    const path = secretText(secret)
    const same = `${path} ${use.consumer} ${use.namespace}`
    const before = told.get(same)
    if (use.runId === undefined && before !== undefined && now.getTime() - before < AGAIN_MS) return
    await tell(store, 'stateward.secret.used', { envId, secret, use, provider })
    if (told.size >= MAX_KEPT) told.clear()
    told.set(same, now.getTime())
  }
}

/** Tells the log of each value that a secret is given: name, who did it and where it is kept. */
export function auditOfWrites(
  store: Store,
  envId: (namespace: string) => string,
): (secret: SecretName, use: SecretUse, provider: string) => Promise<void> {
  return (secret, use, provider) => tell(store, 'stateward.secret.written', { envId, secret, use, provider })
}

async function tell(
  store: Store,
  event_name: EventName,
  about: {
    readonly envId: (namespace: string) => string
    readonly secret: SecretName
    readonly use: SecretUse
    readonly provider: string
  },
): Promise<void> {
  const { secret, use, provider } = about
  const now = store.clock.now()
  const path = secretText(secret)
  await transact(store, (tx) =>
    appendEvents(tx, store, [
      {
        event_id: uuidv7(now.getTime()),
        event_name,
        occurred_at: now,
        env_id: about.envId(use.namespace),
        actor: use.consumer,
        correlation_id: use.correlationId ?? newCorrelationId(),
        ...(use.runId === undefined ? {} : { run_id: use.runId }),
        resource: { type: 'Secret', id: path },
        data: { secret: path, consumer: use.consumer, provider },
      },
    ]),
  )
}
