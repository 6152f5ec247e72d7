import { isObject } from '../../lib/json.ts'
import { done } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'

export interface HostReconcilerDeps {
  /** The Host object that stands for the machine this controller runs on. */
  readonly localHost: string
}

/** A host: how many slots it offers. Only the controller's own machine can be reached by this version. */
export function hostReconciler(deps: HostReconcilerDeps): KindReconciler {
  const reportCapacity: Phase = ({ object, spec, fields }) => {
    if (object.name !== deps.localHost) {
      return {
        kind: 'waiting',
        reason: 'NoHost',
        message: `no machine has joined as ${object.name}; this controller runs on ${deps.localHost}`,
        after: 300_000,
      }
    }
    const capacity = isObject(spec['capacity']) ? spec['capacity'] : {}
    fields['allocatable'] = { agentSlots: spec['unschedulable'] === true ? 0 : (capacity['agentSlots'] ?? 0) }
    return null
  }
  return { kind: 'Host', phases: [reportCapacity], finalize: () => done }
}
