import { kindOf } from '../../kinds/registry.ts'
import { done } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'

/** Accepted and stored, but nothing acts on it yet: never a false Ready. */
const reportNotYetEnforced: Phase = (context) => {
  if (kindOf(context.object.kind)?.notYetEnforced !== true) return null
  context.ready = { reason: 'NotYetEnforced', message: 'accepted, but not enforced by this version' }
  return null
}

/** Kinds that are read by others and start nothing of their own: AgentTemplate, Environment, Project, EventType, Operation, Dashboard. */
export function declarationReconciler(kind: string): KindReconciler {
  return { kind, phases: [reportNotYetEnforced], finalize: () => done }
}
