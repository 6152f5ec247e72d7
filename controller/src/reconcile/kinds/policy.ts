import type { PolicySpec } from '../../kinds/policy/policy.schema.ts'
import { done } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'
import type { WorldObject } from '../world.ts'

export interface PolicyReconcilerDeps {
  /** Keeps the version in force: also one that was accepted before versions were kept. */
  readonly keepVersion: (object: WorldObject, now: Date) => Promise<void>
  /** What a policy decided since a time. */
  readonly decisionsSince: (
    policy: string,
    since: Date,
  ) => Promise<{ readonly allowed: number; readonly denied: number; readonly asked: number }>
}

const DAY_MS = 86_400_000

/** A policy: which version of it is in force, and what it decided lately. It is asked from the moment it is accepted. */
export function policyReconciler(deps: PolicyReconcilerDeps): KindReconciler {
  const report: Phase = async (context) => {
    const { object, spec, fields, now, suspended } = context
    await deps.keepVersion(object, now)
    const { rules, windows, allocations, enforcement } = spec as unknown as PolicySpec
    fields['phase'] = suspended ? 'suspended' : 'active'
    fields['version'] = object.generation
    fields['digest'] = object.specDigest
    fields['rules'] = (rules ?? windows ?? allocations ?? []).length
    const since = new Date(now.getTime() - DAY_MS)
    fields['decisions'] = await deps.decisionsSince(`${object.namespace}/${object.name}`, since)
    const how = enforcement === 'evaluate_only' ? 'is only recorded' : 'is enforced'
    context.ready = { reason: 'Succeeded', message: `version ${object.generation} ${how}` }
    return null
  }
  return { kind: 'Policy', phases: [report], finalize: () => done }
}
