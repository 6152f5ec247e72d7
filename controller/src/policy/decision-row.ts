import { canonicalJson, sha256 } from '../lib/digest.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { DecisionRow } from '../store/journal.ts'
import type { DecisionAbout } from './evaluate/engine.ts'
import type { PolicyRequest } from './evaluate/request.ts'
import type { Opinion, Verdict } from './evaluate/verdict.ts'

/** What is asked is kept up to this size, so that other policies can be asked about it later. */
const MAX_INPUTS = 16 * 1024

/** The record of a decision; null when no policy is about it. */
export function decisionRow(request: PolicyRequest, verdict: Verdict, about: DecisionAbout): DecisionRow | null {
  const { opinions, advisory } = verdict
  if (opinions.length === 0 && advisory.length === 0) return null
  const inputs = inputsOf(request)
  const text = canonicalJson(inputs)
  return {
    decision_id: uuidv7(request.at.getTime()),
    decided_at: request.at,
    point: request.point,
    action: request.action,
    subject: request.subject.principal,
    namespace: request.resource.namespace ?? '',
    resource_type: request.resource.type,
    resource_name: request.resource.name,
    env_id: request.env.id,
    risk: request.risk,
    effect: verdict.effect,
    policy_uid: verdict.policy?.uid ?? null,
    policy: verdict.policy === null ? null : `${verdict.policy.namespace}/${verdict.policy.name}`,
    policy_version: verdict.policy?.version ?? null,
    rule: verdict.rule,
    reason: verdict.reason,
    opinions: [...opinions.map((said) => opinionOf(said, true)), ...advisory.map((said) => opinionOf(said, false))],
    inputs_digest: sha256(text),
    inputs: Buffer.byteLength(text) > MAX_INPUTS ? null : inputs,
    run_id: about.runId ?? null,
    step_id: about.stepId ?? null,
    proposal: about.proposal ?? null,
    correlation_id: about.correlationId,
  }
}

function opinionOf({ policy, rule, effect, reason }: Opinion, enforced: boolean): JsonObject {
  return { policy: `${policy.namespace}/${policy.name}`, version: policy.version, rule, effect, reason, enforced }
}

/** What was asked, but for when. */
function inputsOf({ at: _, ...asked }: PolicyRequest): JsonObject {
  return asked as unknown as JsonObject
}

/** The question of a record; null when it was not kept. */
export function requestOf(row: Pick<DecisionRow, 'inputs' | 'decided_at'>): PolicyRequest | null {
  if (row.inputs === null) return null
  return { ...(row.inputs as unknown as Record<string, Json>), at: row.decided_at } as unknown as PolicyRequest
}
