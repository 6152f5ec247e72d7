import { done } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'
import type { WorldObject } from '../world.ts'

export interface BreakerReconcilerDeps {
  /** How its targets stand, as its status has it. */
  readonly standing: (object: WorldObject) => Promise<Readonly<Record<string, unknown>>>
  /** Closes everything that it opened. */
  readonly close: (object: WorldObject) => Promise<void>
}

/** A breaker: watched by the leader; when it is removed, what it opened is closed. */
export function breakerReconciler(deps: BreakerReconcilerDeps): KindReconciler {
  const report: Phase = async ({ object, fields }) => {
    Object.assign(fields, await deps.standing(object))
    return null
  }
  return {
    kind: 'Breaker',
    phases: [report],
    finalize: async ({ object }) => {
      await deps.close(object)
      return done
    },
  }
}
