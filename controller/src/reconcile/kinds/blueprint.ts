import { compileBlueprint } from '../../blueprints/compile.ts'
import type { CompiledPlan } from '../../blueprints/compiled-plan.ts'
import type { JsonObject } from '../../lib/json.ts'
import { done } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'
import type { WorldObject } from '../world.ts'

/** A blueprint that may be triggered and run: what the run engine reads. */
export interface AcceptedBlueprint {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly plan: CompiledPlan
  readonly digest: string
  /** The commit runs are pinned to. */
  readonly revision: string
  readonly suspended: boolean
}

export interface BlueprintReconcilerDeps {
  /** inputSchema of a tool by name or alias; null when there is no such tool. */
  readonly toolSchema: (name: string, namespace: string) => JsonObject | null
  /** Where pointers of this object stand in the state repo, as `file:line:column`. */
  readonly placesOf: (object: WorldObject) => Promise<(pointer: string) => string | null>
  readonly accepted: Map<string, AcceptedBlueprint>
  /** Runs of the blueprint that have not ended. */
  readonly openRuns: (blueprintUid: string) => Promise<number>
  /** Why what would start runs of it is held back; null when nothing is. */
  readonly heldBack: (blueprintUid: string) => string | null
  readonly changed: () => void
}

const RUNS_RETRY_MS = 5_000

/** A blueprint: compiled, its plan kept for triggers. Removing it stops its triggers at once; running runs go on. */
export function blueprintReconciler(deps: BlueprintReconcilerDeps): KindReconciler {
  const compile: Phase = async ({ object, spec, suspended, fields, conditions }) => {
    const place = await deps.placesOf(object)
    const compiled = compileBlueprint(
      { namespace: object.namespace, name: object.name, spec, place },
      { toolSchema: (name) => deps.toolSchema(name, object.namespace) },
    )
    if (!compiled.ok) {
      deps.accepted.delete(object.uid)
      const [first] = compiled.problems
      return {
        kind: 'stalled',
        reason: 'ValidationFailed',
        message: `${place(first!.pointer) ?? object.file}: ${first!.message}; ${first!.hint}`,
      }
    }
    fields['planDigest'] = compiled.digest
    fields['steps'] = compiled.plan.steps.length
    deps.accepted.set(object.uid, {
      uid: object.uid,
      namespace: object.namespace,
      name: object.name,
      plan: compiled.plan,
      digest: compiled.digest,
      revision: object.lastAppliedRevision,
      suspended,
    })
    const held = deps.heldBack(object.uid)
    if (held !== null) conditions.set('QuotaExceeded', 'True', 'QuotaExceeded', held)
    deps.changed()
    return null
  }
  return {
    kind: 'Blueprint',
    phases: [compile],
    finalize: async ({ object, spec }) => {
      deps.accepted.delete(object.uid)
      deps.changed()
      if (spec['deletionPolicy'] !== 'WaitForTermination') return done
      const open = await deps.openRuns(object.uid)
      return open === 0
        ? done
        : {
            kind: 'waiting',
            reason: 'Terminating',
            message: `${open} of its runs have not ended`,
            after: RUNS_RETRY_MS,
          }
    },
  }
}
