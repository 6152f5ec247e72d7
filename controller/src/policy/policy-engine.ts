import type { EventName } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { DecisionRow } from '../store/journal.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import { insertDecision } from '../store/queries/policies.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { decisionRow } from './decision-row.ts'
import type { DecisionAbout, PolicyEngine } from './evaluate/engine.ts'
import { evaluate } from './evaluate/evaluate.ts'
import type { PolicyRequest } from './evaluate/request.ts'
import { ALLOWED, type Verdict } from './evaluate/verdict.ts'
import type { PolicyBook } from './policy-book.ts'

/** The engine, and what it knows without writing: whoever has a transaction of its own records there what it decided. */
export interface RecordingEngine extends PolicyEngine {
  /** The verdict and its record; `row` null = no policy is about it, and nothing is to be recorded. */
  ask(request: PolicyRequest, about: DecisionAbout): { readonly verdict: Verdict; readonly row: DecisionRow | null }
}

export function createPolicyEngine(store: Store, book: PolicyBook): RecordingEngine {
  const evaluated = (request: PolicyRequest): Verdict =>
    book.asks(request.resource.namespace) ? evaluate(book.policies, request) : ALLOWED
  const ask = (request: PolicyRequest, about: DecisionAbout) => {
    const verdict = evaluated(request)
    return { verdict, row: decisionRow(request, verdict, about) }
  }
  return {
    asks: (namespace) => book.asks(namespace),
    evaluate: evaluated,
    ask,
    async decide(request, about) {
      const { verdict, row } = ask(request, about)
      if (row === null) return { ...verdict, decisionId: null }
      await transact(store, async (tx) => {
        await insertDecision(tx, row)
        if (row.effect !== 'allow') await appendEvents(tx, store, [evaluatedEvent(row)])
      })
      return { ...verdict, decisionId: row.decision_id }
    },
  }
}

/** What the log tells of a decision that is no plain allow. */
export function evaluatedEvent(row: DecisionRow): NewEvent {
  return {
    event_id: uuidv7(row.decided_at.getTime()),
    event_name: 'stateward.policy.evaluated' satisfies EventName,
    occurred_at: row.decided_at,
    env_id: row.env_id,
    actor: row.subject,
    correlation_id: row.correlation_id,
    run_id: row.run_id,
    step_id: row.step_id,
    ...(row.policy_uid === null ? {} : { resource: { type: 'Policy', id: row.policy_uid } }),
    data: {
      decision_id: row.decision_id,
      point: row.point,
      action: row.action,
      effect: row.effect,
      policy: row.policy,
      version: row.policy_version,
      rule: row.rule,
      reason: row.reason,
      namespace: row.namespace,
      resource_type: row.resource_type,
      resource_name: row.resource_name,
    },
  }
}
