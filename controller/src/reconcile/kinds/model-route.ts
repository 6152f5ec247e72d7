import type { ModelRouteSpec } from '../../kinds/model-route/model-route.schema.ts'
import { done } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'

const AGAIN_MS = 60_000
const DAY_MS = 86_400_000
/** A share of fewer says nothing. */
const LEAST_CALLS = 10

export interface ModelRouteReconcilerDeps {
  readonly share: (
    route: { readonly namespace: string; readonly name: string },
    since: Date,
  ) => Promise<{ readonly calls: number; readonly local: number }>
  /** Opens an alert, or closes it; the same again changes nothing. */
  readonly alert: (
    route: { readonly namespace: string; readonly name: string },
    message: string | null,
  ) => Promise<void>
}

/** Measures the share of local providers, and says when it is under its target. */
export function modelRouteReconciler(deps: ModelRouteReconcilerDeps): KindReconciler {
  const measure: Phase = async ({ object, spec, fields, conditions, now }) => {
    const { targets } = spec as unknown as ModelRouteSpec
    const { calls, local } = await deps.share(object, new Date(now.getTime() - DAY_MS))
    fields['calls'] = calls
    fields['measuredAt'] = now.toISOString()
    if (calls > 0) fields['localRatio'] = Math.round((local / calls) * 1000) / 1000
    const target = targets?.localRatio
    const missed = target !== undefined && calls >= LEAST_CALLS && local / calls < target
    const message = `${local} of ${calls} calls of the last 24 hours were local, the target is ${target}`
    if (missed) conditions.set('TargetMissed', 'True', 'TargetMissed', message)
    if (target !== undefined) await deps.alert(object, missed ? message : null)
    return { kind: 'done', again: AGAIN_MS }
  }
  return {
    kind: 'ModelRoute',
    phases: [measure],
    finalize: async ({ object }) => {
      await deps.alert(object, null)
      return done
    },
  }
}
