import type { ApprovalSpec } from '../../kinds/approval/approval.schema.ts'
import { StatewardError } from '../../lib/errors.ts'
import type { Json } from '../../lib/json.ts'
import { done, type Outcome } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'
import type { WorldObject } from '../world.ts'

/** A gate as far as a document can decide it. */
export interface DecidableGate {
  readonly stepId: string
  readonly mode: string
  readonly inputDigest: string
}

export interface ApprovalReconcilerDeps {
  /** The gate of a run at a path of its plan, the newest one; null when there is none. */
  readonly findGate: (namespace: string, run: string, step: string) => Promise<DecidableGate | null>
  /** Decides it: SW_CONFLICT when it was decided before, SW_GATE_INPUT when the answer does not fit. */
  readonly decide: (
    request: {
      readonly stepId: string
      readonly decision: 'approve' | 'reject'
      readonly reason: string | null
      readonly input: Json | undefined
    },
    caller: { readonly actor: string; readonly correlationId: string },
  ) => Promise<void>
  /** Who brought the document into the protected branch. */
  readonly mergedBy: (object: WorldObject) => Promise<string>
}

/** A decision that was merged: read once, and recorded like one that was made through the API. */
export function approvalReconciler(deps: ApprovalReconcilerDeps): KindReconciler {
  const decide: Phase = async (context) => {
    const { object, spec, fields, now, correlationId } = context
    if (object.status['outcome'] !== undefined) {
      for (const field of ['outcome', 'actor', 'decidedAt']) fields[field] = object.status[field]
      context.ready = { reason: 'Succeeded', message: said(fields) }
      return null
    }
    const { change, decision, reason, input, ...gateOf } = spec as unknown as ApprovalSpec
    if (change !== undefined) {
      // It counts, or does not, each time the change is planned: there is nothing to do here.
      context.ready = {
        reason: 'Succeeded',
        message: `says ${decision} of one change of ${change.kind} ${change.name}`,
      }
      return null
    }
    const { runRef, step, inputDigest } = gateOf as Required<Pick<ApprovalSpec, 'runRef' | 'step' | 'inputDigest'>>
    const gate = await deps.findGate(object.namespace, runRef.name, step)
    if (gate === null) return stalled('ReferenceNotFound', `run ${runRef.name} has no gate ${step}`)
    if (gate.mode !== 'pullRequest')
      return stalled('ValidationFailed', `gate ${step} of run ${runRef.name} is not decided by a merge`)
    if (gate.inputDigest !== inputDigest)
      return stalled('ValidationFailed', `it decides another question than gate ${step} of run ${runRef.name} asks`)
    const actor = await deps.mergedBy(object)
    try {
      await deps.decide(
        { stepId: gate.stepId, decision, reason: reason ?? null, input: input as Json | undefined },
        { actor, correlationId },
      )
      fields['outcome'] = 'decided'
    } catch (error) {
      const code = error instanceof StatewardError ? error.ref : null
      if (code === 'SW_GATE_INPUT' || code === 'SW_FORBIDDEN')
        return stalled('ValidationFailed', (error as Error).message)
      if (code !== 'SW_CONFLICT') throw error
      fields['outcome'] = 'late'
    }
    fields['actor'] = actor
    fields['decidedAt'] = now.toISOString()
    context.ready = { reason: 'Succeeded', message: said(fields) }
    return null
  }
  return { kind: 'Approval', phases: [decide], finalize: () => done }
}

function said(fields: Readonly<Record<string, unknown>>): string {
  return fields['outcome'] === 'late'
    ? 'the gate was closed before it was merged'
    : `the gate was decided by ${String(fields['actor'])}`
}

function stalled(reason: 'ReferenceNotFound' | 'ValidationFailed', message: string): Outcome {
  return { kind: 'stalled', reason, message }
}
