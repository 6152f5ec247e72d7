import type { EventName } from '../events/catalogue.ts'
import { newCorrelationId, uuidv7 } from '../lib/ids.ts'
import { KEY_VARIABLE } from '../models/providers/connect.ts'
import type { ModelProviderReconcilerDeps } from '../reconcile/kinds/model-provider.ts'
import type { ModelRouteReconcilerDeps } from '../reconcile/kinds/model-route.ts'
import { appendEvents } from '../store/log.ts'
import { hasOpenAlert } from '../store/queries/alerts.ts'
import { breakerOf } from '../store/queries/breakers.ts'
import { factsOfProvider, localShare } from '../store/queries/model-calls.ts'
import { transact } from '../store/transact.ts'
import type { Core } from './core.ts'

/** What the reconcilers of models ask. */
export function modelReconcilerDeps(core: Core): {
  readonly provider: ModelProviderReconcilerDeps
  readonly route: ModelRouteReconcilerDeps
} {
  const { store, secrets, environment, parts } = core
  return {
    provider: {
      facts: (provider, since) => factsOfProvider(store.reader, provider, since),
      async breaker(name) {
        const row = await breakerOf(store.reader, { kind: 'ModelProvider', namespace: '', name })
        return { state: row?.state ?? 'closed', reason: row?.reason ?? '' }
      },
      standing: (secret) => secrets.check(secret),
      missingVariable(type) {
        const variable = KEY_VARIABLE[type]
        return variable === undefined || (environment[variable] ?? '') !== '' ? null : variable
      },
      keepLoaded: (provider) => parts.alwaysLoaded?.look(provider) ?? null,
      loaded: (provider) => parts.modelServers?.loaded(provider) ?? [],
      unload: async (provider) => await parts.modelServers?.release(provider),
    },
    route: {
      share: ({ namespace, name }, since) => localShare(store.reader, { namespace, route: name }, since),
      alert: ({ namespace, name }, message) => tellTarget(core, namespace, name, message),
    },
  }
}

async function tellTarget({ store }: Core, namespace: string, route: string, message: string | null): Promise<void> {
  const key = `local-ratio/${namespace}/${route}`
  const isOpen = await hasOpenAlert(store.engine, [key])
  if (isOpen === (message !== null)) return
  const at = store.clock.now()
  await transact(store, (tx) =>
    appendEvents(tx, store, [
      {
        event_id: uuidv7(at.getTime()),
        event_name: `stateward.model.target.${message === null ? 'met' : 'missed'}` satisfies EventName,
        occurred_at: at,
        env_id: namespace,
        actor: 'system:models',
        correlation_id: newCorrelationId(),
        data: { namespace, route, ...(message === null ? {} : { message }) },
      },
    ]),
  )
}
