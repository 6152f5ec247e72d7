import type { Caller } from '../api/caller.ts'
import type { DriftVerbs } from '../api/ports/drift.ts'
import type { InterventionVerbs } from '../api/ports/interventions.ts'
import type { SpawnVerbs } from '../api/ports/spawning.ts'
import { secretText } from '../kinds/secret-ref.ts'
import { fail } from '../lib/error-catalogue.ts'
import { newCorrelationId } from '../lib/ids.ts'
import type { World } from '../reconcile/world.ts'
import type { SecretGate } from '../secrets/ports.ts'
import { driftById } from '../store/queries/drifts.ts'
import type { Store } from '../store/store.ts'
import { detailsOf, nameOf, type Policies, type WorldQuestion } from './policies.ts'

/** Where what is asked for is done at once: there is no step a gate could stand in front of. */

/**
 * Asks the policies and records what they decide. SW_DENIED_BY_POLICY. SW_NEEDS_APPROVAL: they ask for approvals, and whoever
 * asks is not himself one of those whose word is enough; the message names who is.
 */
async function ask(
  policies: Policies,
  question: Omit<WorldQuestion, 'at'>,
  at: Date,
  about: Parameters<Policies['engine']['decide']>[1],
) {
  if (!policies.engine.asks(question.resource.namespace)) return
  const verdict = await policies.engine.decide(policies.request({ ...question, at }), about)
  if (verdict.effect === 'allow') return
  const what = `${nameOf(verdict)} ${verdict.effect === 'deny' ? 'denies' : 'asks for approval of'} ${question.action}`
  const details = detailsOf(verdict, verdict.decisionId)
  if (verdict.effect === 'deny') throw fail('SW_DENIED_BY_POLICY', `${what}: ${verdict.reason}`, { details })
  const namespace = question.resource.namespace ?? 'default'
  const { approvals } = verdict.requirements
  if (approvals.every((approval) => policies.ofRuns.meets(approval, namespace, [question.actor]))) return
  throw fail('SW_NEEDS_APPROVAL', `${what}: ${verdict.reason}`, { details: { ...details, approvals } })
}

/** Agents that are spawned: action `agent.spawn`, about what they are instances of. */
export function guardedSpawning(policies: Policies, world: World, now: () => Date, verbs: SpawnVerbs): SpawnVerbs {
  return {
    async spawn(request, self, caller) {
      const { namespace, of, lifetime, parent, host, reason } = request
      const template = world.get(`${of.kind}/${namespace}/${of.name}`)
      await ask(
        policies,
        {
          point: 'spawn',
          action: 'agent.spawn',
          actor: caller.actor,
          ...(caller.roles === undefined ? {} : { roles: caller.roles }),
          resource: { type: 'agent', namespace, name: of.name },
          labels: template?.labels ?? {},
          risk: 'medium',
          data: { kind: of.kind, lifetime, parent, host, reason },
        },
        now(),
        about(caller),
      )
      return await verbs.spawn(request, self, caller)
    },
    end: (uid, self, caller) => verbs.end(uid, self, caller),
  }
}

/** Interventions: action `intervention.<verb>`, about the agent. */
export function guardedInterventions(policies: Policies, now: () => Date, verbs: InterventionVerbs): InterventionVerbs {
  return {
    async intervene(agent, request, caller) {
      const { action, params, reason } = request
      await ask(
        policies,
        {
          point: 'intervention',
          action: `intervention.${action}`,
          actor: caller.actor,
          ...(caller.roles === undefined ? {} : { roles: caller.roles }),
          resource: { type: 'agent', namespace: agent.namespace, name: agent.name },
          // Pausing is how harm is stopped; what ends or turns work is not.
          risk: action === 'terminate' ? 'high' : action === 'pause' ? 'low' : 'medium',
          data: { params, reason },
        },
        now(),
        about(caller),
      )
      return await verbs.intervene(agent, request, caller)
    },
  }
}

/** Differences that are put back: action `drift.enforce`, about the object. A proposal that adopts one is asked about like any. */
export function guardedDrift(policies: Policies, store: Store, now: () => Date, verbs: DriftVerbs): DriftVerbs {
  return {
    async enforce(id, why, caller) {
      const row = await driftById(store.reader, id)
      if (row !== null)
        await ask(
          policies,
          {
            point: 'intervention',
            action: 'drift.enforce',
            actor: caller.actor,
            ...(caller.roles === undefined ? {} : { roles: caller.roles }),
            resource: { type: row.kind.toLowerCase(), namespace: row.namespace, name: row.name },
            risk: 'medium',
            data: { source: row.source, field: row.field, live: row.live, declared: row.declared, reason: why.reason },
          },
          now(),
          about(caller),
        )
      return await verbs.enforce(id, why, caller)
    },
    adopt: (id, why, caller) => verbs.adopt(id, why, caller),
  }
}

function about({ correlationId }: Caller): { readonly correlationId: string } {
  return { correlationId }
}

/** Secrets that are used: action `secret.use`, about the secret; who asks is who is to get it. */
export function guardedSecrets(policies: Policies, now: () => Date): SecretGate {
  return (secret, { consumer, namespace, correlationId, runId }) =>
    ask(
      policies,
      {
        point: 'secret_use',
        action: 'secret.use',
        actor: consumer,
        resource: { type: 'secret', namespace, name: secretText(secret) },
        labels: {},
        risk: 'high',
        data: { secret: secretText(secret), consumer },
      },
      now(),
      { correlationId: correlationId ?? newCorrelationId(), ...(runId === undefined ? {} : { runId }) },
    )
}
