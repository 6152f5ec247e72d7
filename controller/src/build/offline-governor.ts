import { keyOf, type ObjectKey } from '../kinds/resource.ts'
import type { Clock } from '../lib/clock.ts'
import { type JsonObject, valueAt } from '../lib/json.ts'
import type { ActualObject, ActualState } from '../plan/actual-state.ts'
import { type AgentParent, agentLineage } from '../plan/approvals/agent-lineage.ts'
import { specBefore } from '../plan/effects/effects-of-plan.ts'
import { evaluate } from '../policy/evaluate/evaluate.ts'
import { PolicyBook } from '../policy/policy-book.ts'
import type { PolicyLog } from '../policy/ports.ts'
import type { ChangeGovernor } from '../reconcile/sync/change-governor.ts'
import type { Observed } from '../reconcile/sync/observed.ts'
import { World } from '../reconcile/world.ts'
import type { GitRepository } from '../source/ports.ts'
import { changeGovernor } from './change-governor.ts'
import type { OriginDeps } from './change-origins.ts'
import { commitVerifier } from './commit-verifier.ts'
import { type People, peopleOf } from './people.ts'
import { activePolicies, windowsOf } from './policies.ts'
import { policyEnvironmentOf } from './world-views.ts'

export interface OfflineGovernance {
  readonly repository: GitRepository
  /** Folder of the state repo that is read. */
  readonly path: string
  /** The commit that stands for what is applied: its policies, owners and people are asked. */
  readonly base: string
  readonly merges: OriginDeps['merges']
  /** The text of an `allowed_signers` file that the configuration names. */
  readonly allowedSigners: string
  readonly observed: Observed | null
  readonly clock: Clock
  readonly log: PolicyLog & { readonly warn: PolicyLog['error']; readonly info: PolicyLog['error'] }
}

/** Kinds that say who decides, and what that depends on. */
const DECIDING = new Set(['Policy', 'Principal', 'Environment'])

/**
 * Asks the same code as the controller, of what a clone knows: policies, windows, owners of paths and people of the base, and the
 * words that stand in the repository. What was said over the API is not there.
 */
export function offlineGovernor(options: OfflineGovernance): (applied: ActualState) => ChangeGovernor {
  const { repository, path, merges, observed, clock, log } = options
  return (applied) => ({
    async gather(made, does, at) {
      const deciding = [...applied.keys()].filter((key) => DECIDING.has(applied.get(key)!.kind))
      const asked = [...made.changes.map(keyOf), ...deciding.filter((key) => key.startsWith('Policy/'))]
      const statuses = (await observed?.statuses(asked)) ?? new Map<ObjectKey, JsonObject>()
      const world = new World(() => clock.now())
      for (const key of new Set([...asked, ...deciding])) {
        const object = applied.get(key)
        if (object !== undefined) world.put(worldObject(object, statuses.get(key), options.base))
      }
      const known = peopleOf(world)
      const people: People = {
        identities: () => known.identities(),
        lineage: (of) =>
          of.some((principal) => principal.startsWith('agent:')) ? agentLineage(of, agentsOf(applied)) : NOBODY,
      }
      const book = new PolicyBook(
        { version: () => world.version, active: () => activePolicies(world, 'governance') },
        log,
      )
      const windows = windowsOf(world)
      const verifier = commitVerifier({
        ...{ world, repository, log, mode: 'none' as const, ownKey: null, configured: options.allowedSigners },
        identities: () => people.identities(),
      })
      const governor = changeGovernor({
        ...{ clock, world, people, repository, path, merges },
        saidOf: async () => [],
        signer: (commit) => verifier.signer(commit),
        evaluate: (request) => evaluate(book.policies, request),
        rowOf: () => null,
        hasPolicies: () => book.asks(null) || windows() !== null,
        waitFor: (change) => windows()?.waitFor(change, clock.now())?.message ?? null,
        environmentOf: policyEnvironmentOf(world),
      })
      return governor.gather(made, does, at)
    },
  })
}

const NOBODY = { above: [], below: [] }

/** Read only where an agent wrote something: a state may hold thousands. */
function agentsOf(applied: ActualState): AgentParent[] {
  return [...applied].flatMap(([key, { kind, namespace, name }]): AgentParent[] => {
    if (kind !== 'Agent') return []
    const parent = valueAt(specBefore(key, applied), '/parentRef/name')
    return [
      {
        principal: `agent:${namespace}/${name}`,
        parent: typeof parent === 'string' ? `agent:${namespace}/${parent}` : null,
      },
    ]
  })
}

/** As far as deciding looks at it. */
function worldObject(object: ActualObject, status: JsonObject | undefined, base: string) {
  const { version, lastAppliedRevision } = status ?? {}
  return {
    ...object,
    ...{ source: 'clone', resourceVersion: 0, specResourceVersion: 0, createdAt: new Date(0), deletionTimestamp: null },
    // Of a policy, the version in force is its generation.
    generation: typeof version === 'number' ? version : object.generation,
    lastAppliedRevision: typeof lastAppliedRevision === 'string' ? lastAppliedRevision : base,
    status: {},
  }
}
