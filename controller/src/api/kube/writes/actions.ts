import { fail } from '../../../lib/error-catalogue.ts'
import { authorize } from '../../auth/authorize.ts'
import { callerOf } from '../../http/request-context.ts'
import { findGate } from '../../v1/find-run.ts'
import type { Write } from './propose.ts'
import type { ASKS } from './sent-object.ts'

/** Does what annotations ask for: the same as the CLI's verbs, with the same rights. */
export async function actOn(write: Write, asks: Partial<Record<keyof typeof ASKS, string>>): Promise<void> {
  const { context, ref, request, dryRun } = write
  const { objects } = context.services
  const caller = callerOf(request)
  if (ref.kind === 'Run') return decide(write, asks)
  if (asks.approve !== undefined || asks.reject !== undefined)
    throw fail('SW_BAD_REQUEST', `a ${ref.kind} has no gates to decide`, { remedy: 'annotate the run' })
  if (asks.reconcile !== undefined) {
    authorize(request.principal, 'objects.reconcile')
    if (!dryRun) await objects.reconcile(ref, caller)
  }
  if (asks.suspend === undefined) return
  if (asks.suspend !== 'true' && asks.suspend !== 'false')
    throw fail('SW_BAD_REQUEST', `annotation stateward.dev/suspend is "${asks.suspend}", neither "true" nor "false"`)
  authorize(request.principal, 'objects.intervene')
  if (dryRun) return
  if (asks.suspend === 'true') await objects.suspend(ref, { reason: null, expiresAt: null, merge: false }, caller)
  else await objects.resume(ref, { merge: false }, caller)
}

/** `kubectl annotate run <run> stateward.dev/approve=<step>`. */
async function decide(
  { context, ref, request, dryRun }: Write,
  asks: Partial<Record<keyof typeof ASKS, string>>,
): Promise<void> {
  const asked = (['approve', 'reject'] as const).flatMap((decision) =>
    asks[decision] === undefined ? [] : [{ decision, step: asks[decision] }],
  )
  if (asked.length !== 1)
    throw fail('SW_BAD_REQUEST', 'of a run only one gate can be decided at once, and nothing else be written', {
      remedy: 'annotate it with stateward.dev/approve=<step> or stateward.dev/reject=<step>',
    })
  authorize(request.principal, 'gates.decide')
  const { decision, step } = asked[0]!
  const { gate_id: stepId } = await findGate(context.store.engine, `${ref.name}.${step}`, ref.namespace)
  if (!dryRun)
    await context.services.gates.decide({ stepId, decision, reason: null, input: undefined }, callerOf(request))
}
