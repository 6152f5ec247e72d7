import type { NotificationRouteSpec } from '../../kinds/notification-route/notification-route.schema.ts'
import { type SecretName, secretName, secretText } from '../../kinds/secret-ref.ts'
import { done, type Outcome } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'

const AGAIN_MS = 60_000

export interface NotificationRouteReconcilerDeps {
  readonly counts: (route: {
    readonly namespace: string
    readonly name: string
  }) => Promise<{ readonly pending: number; readonly dead: number; readonly last: Date | null }>
  /** Where a secret is, or why it cannot be used. */
  readonly standing: (
    secret: SecretName,
  ) => Promise<{ readonly provider: string | null; readonly problem: string | null }>
}

/** Whether a route has what it needs, and how its deliveries stand. Delivering is done elsewhere. */
export function notificationRouteReconciler(deps: NotificationRouteReconcilerDeps): KindReconciler {
  const count: Phase = async ({ object, fields }) => {
    const { pending, dead, last } = await deps.counts(object)
    fields['pending'] = pending
    fields['dead'] = dead
    if (last !== null) fields['lastNotifiedTime'] = last.toISOString()
    return null
  }
  const look: Phase = async ({ spec, suspended }): Promise<Outcome> => {
    const { secretRef } = spec as unknown as NotificationRouteSpec
    if (suspended || secretRef === undefined) return { kind: 'done', again: AGAIN_MS }
    const secret = secretName(secretRef)
    const { provider, problem } = await deps.standing(secret)
    if (provider !== null) return { kind: 'done', again: AGAIN_MS }
    const message = problem ?? `not there: secret ${secretText(secret)}`
    return { kind: 'waiting', reason: 'SecretMissing', message, after: AGAIN_MS }
  }
  return { kind: 'NotificationRoute', phases: [count, look], finalize: () => done }
}
