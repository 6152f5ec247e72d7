import { type BlueprintSource, compileBlueprint, countSteps } from '../../blueprints/compile.ts'
import type { CompileResult } from '../../blueprints/compile-result.ts'
import type { CompiledPlan } from '../../blueprints/compiled-plan.ts'
import { kindOf } from '../../kinds/registry.ts'
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
  /** A blueprint by name, as it is accepted, with its effective spec; null when there is none. */
  readonly find: (namespace: string, name: string) => { readonly object: WorldObject; readonly spec: JsonObject } | null
  readonly accepted: Map<string, AcceptedBlueprint>
  /** Keeps the plan under its digest: processes that do not lead start runs of it, too. */
  readonly keepPlan: (digest: string, plan: CompiledPlan) => Promise<void>
  /** Runs of the blueprint that have not ended. */
  readonly openRuns: (blueprintUid: string) => Promise<number>
  /** Those that have been open for long, by name; null = none, undefined = nobody has looked yet. */
  readonly longRuns: (
    blueprintUid: string,
  ) => { readonly total: number; readonly names: readonly string[] } | null | undefined
  /** Why what would start runs of it is held back; null when nothing is. */
  readonly heldBack: (blueprintUid: string) => string | null
  readonly changed: () => void
}

const RUNS_RETRY_MS = 5_000

type Called = ReadonlyMap<string, BlueprintSource>

/** A blueprint and every one that it calls, directly or through others, by name. */
async function calledBy(
  deps: BlueprintReconcilerDeps,
  caller: { readonly object: WorldObject; readonly spec: JsonObject },
  place: BlueprintSource['place'],
): Promise<Called> {
  const { namespace, name } = caller.object
  const sources = new Map<string, BlueprintSource>([[name, { namespace, name, spec: caller.spec, place }]])
  for (const { spec } of sources.values()) {
    for (const reference of kindOf('Blueprint')!.references(spec)) {
      if (reference.kind !== 'Blueprint' || sources.has(reference.name)) continue
      const called = deps.find(namespace, reference.name)
      if (called === null) continue
      const where = await deps.placesOf(called.object)
      sources.set(reference.name, { namespace, name: reference.name, spec: called.spec, place: where })
    }
  }
  return sources
}

function compileWith(deps: BlueprintReconcilerDeps, sources: Called, top: string): CompileResult {
  const known = new Map<string, CompileResult>()
  const under = new Set<string>()
  const compile = (name: string): CompileResult | null => {
    const source = sources.get(name)
    // One that calls itself was never accepted; should it be met all the same, it is no blueprint to call.
    if (source === undefined || under.has(name)) return null
    const before = known.get(name)
    if (before !== undefined) return before
    under.add(name)
    const compiled = compileBlueprint(source, {
      toolSchema: (tool) => deps.toolSchema(tool, source.namespace),
      blueprint: compile,
    })
    under.delete(name)
    known.set(name, compiled)
    return compiled
  }
  return compile(top)!
}

/** A blueprint: compiled, its plan kept for triggers. Removing it stops its triggers at once; running runs go on. */
export function blueprintReconciler(deps: BlueprintReconcilerDeps): KindReconciler {
  const compile: Phase = async ({ object, spec, suspended, fields, conditions }) => {
    const place = await deps.placesOf(object)
    const compiled = compileWith(deps, await calledBy(deps, { object, spec }, place), object.name)
    if (!compiled.ok) {
      deps.accepted.delete(object.uid)
      const [first] = compiled.problems
      return {
        kind: 'stalled',
        reason: 'ValidationFailed',
        message: `${place(first!.pointer) ?? object.file}: ${first!.message}; ${first!.hint}`,
      }
    }
    await deps.keepPlan(compiled.digest, compiled.plan)
    fields['planDigest'] = compiled.digest
    fields['steps'] = countSteps(compiled.plan.steps)
    deps.accepted.set(object.uid, {
      uid: object.uid,
      namespace: object.namespace,
      name: object.name,
      plan: compiled.plan,
      digest: compiled.digest,
      revision: object.lastAppliedRevision,
      suspended,
    })
    const long = deps.longRuns(object.uid)
    if (long != null) fields['openRuns'] = { total: long.total, names: [...long.names] }
    else if (long === null && object.status['openRuns'] !== undefined) fields['openRuns'] = undefined
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
