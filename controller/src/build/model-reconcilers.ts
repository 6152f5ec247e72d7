import type { EventName } from '../events/catalogue.ts'
import { errorMessage } from '../lib/errors.ts'
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
  const { store, secrets, environment } = core
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
      keepLoaded: keepLoaded(core),
    },
    route: {
      share: ({ namespace, name }, since) => localShare(store.reader, { namespace, route: name }, since),
      alert: ({ namespace, name }, message) => tellTarget(core, namespace, name, message),
    },
  }
}

/** A model that is always to be there is loaded beside the reconcile, which looks again until it is. */
function keepLoaded({ parts }: Core): ModelProviderReconcilerDeps['keepLoaded'] {
  const loading = new Map<string, { problem: string | null; done: boolean }>()
  return (provider, model) => {
    const servers = parts.modelServers
    if (servers === null) return null
    const loaded = servers.loaded(provider)
    if (model === null) return { loaded, ready: true, problem: null }
    const before = loading.get(provider)
    if (before?.done === true && before.problem === null && servers.isUp(provider))
      return { loaded, ready: true, problem: null }
    if (before === undefined || before.done) {
      const state = { problem: before?.problem ?? null, done: false }
      loading.set(provider, state)
      servers
        .ready(provider, model, AbortSignal.timeout(3_600_000))
        .then(
          () => {
            state.problem = null
            servers.used(provider, model)
          },
          (error: unknown) => {
            state.problem = errorMessage(error)
          },
        )
        .finally(() => {
          state.done = true
        })
      return { loaded, ready: false, problem: state.problem }
    }
    return { loaded, ready: false, problem: before.problem }
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
