import type { InterventionVerbs } from '../api/ports/interventions.ts'
import {
  closeOpenedBy,
  type DeclaredBreaker,
  type DeclaredBreakersDeps,
  stateOf,
} from '../breakers/declared-breakers.ts'
import type { BreakerSpec } from '../kinds/breaker/breaker.schema.ts'
import { keyOf } from '../kinds/resource.ts'
import { parseDuration } from '../lib/duration.ts'
import { StatewardError } from '../lib/errors.ts'
import { newCorrelationId } from '../lib/ids.ts'
import type { BreakerReconcilerDeps } from '../reconcile/kinds/breaker.ts'
import type { World, WorldObject } from '../reconcile/world.ts'
import { breakersOpenedBy } from '../store/queries/breakers.ts'
import type { Store } from '../store/store.ts'
import { BUILTIN_TOOLS } from '../tools/builtins.ts'

const ACTOR = 'system:breakers'
const DEFAULT_COOLDOWN = '10m'

/** What the Breakers of the world say, worked out once for each state of it. Suspended ones watch nothing. */
export function declaredBreakers(world: World): () => readonly DeclaredBreaker[] {
  let known: { readonly version: number; readonly breakers: readonly DeclaredBreaker[] } | null = null
  return () => {
    if (known?.version !== world.version) {
      const objects = [...world.ofKind('Breaker').values()].filter(({ deleting }) => !deleting)
      known = { version: world.version, breakers: objects.flatMap((object) => declaredBreaker(world, object) ?? []) }
    }
    return known.breakers
  }
}

function declaredBreaker(world: World, object: WorldObject): DeclaredBreaker | null {
  const spec = world.effective(object) as unknown as BreakerSpec
  if (spec.suspend === true) return null
  const { namespace, name } = object
  return {
    namespace,
    name,
    kind: spec.selector.kind,
    targets: targetsOf(world, namespace, spec.selector),
    metric: spec.metric,
    threshold: spec.threshold,
    windowMs: parseDuration(spec.window),
    effect: spec.action ?? 'pause',
    cooldownSeconds: spec.manualReset === true ? null : parseDuration(spec.cooldown ?? DEFAULT_COOLDOWN) / 1000,
  }
}

function targetsOf(world: World, namespace: string, selector: BreakerSpec['selector']): string[] {
  const { kind, name, matchLabels = {} } = selector
  const declared = [...world.ofKind(kind).values()].filter(
    (object) =>
      object.namespace === namespace &&
      !object.deleting &&
      (name === undefined || object.name === name) &&
      Object.entries(matchLabels).every(([label, value]) => object.labels[label] === value),
  )
  // A built-in tool has no labels.
  const builtin = kind === 'Tool' && Object.keys(matchLabels).length === 0 ? BUILTIN_TOOLS : []
  const builtins = builtin.flatMap((tool) => (name === undefined || tool.name === name ? [tool.name] : []))
  return [...new Set([...declared.map((object) => object.name), ...builtins])]
}

/** What its reconciler needs. */
export function breakerDeps(store: Store, world: World): BreakerReconcilerDeps {
  const declared = declaredBreakers(world)
  return {
    async standing({ namespace, name }) {
      const own = declared().find((breaker) => breaker.namespace === namespace && breaker.name === name)
      return {
        ...stateOf(await breakersOpenedBy(store.reader, namespace, name)),
        watched: own?.targets.length ?? 0,
      }
    },
    close: ({ namespace, name }) => closeOpenedBy(store, namespace, name),
  }
}

/** Ends agents, and lets them go on, as interventions that everybody sees. */
export function terminations(
  world: World,
  interventions: Pick<InterventionVerbs, 'intervene'>,
): Pick<DeclaredBreakersDeps, 'terminate' | 'revive'> {
  const isEnded = (agent: { readonly namespace: string; readonly name: string }) =>
    world
      .overrides(keyOf({ kind: 'Agent', ...agent }))
      .some(({ path, value, actor }) => path === '/spec/replicas' && value === 0 && actor === ACTOR)
  const intervene = async (
    agent: { readonly namespace: string; readonly name: string },
    action: 'terminate' | 'resume',
    reason: string,
  ): Promise<void> => {
    const caller = { actor: ACTOR, correlationId: newCorrelationId() }
    const request = { action, params: {}, reason, expiresAt: null, merge: false }
    try {
      await interventions.intervene({ namespace: agent.namespace, name: agent.name }, request, caller)
    } catch (error) {
      // It is gone meanwhile, or somebody let it go on before.
      if (!(error instanceof StatewardError) || !['SW_CONFLICT', 'SW_NOT_FOUND'].includes(error.ref)) throw error
    }
  }
  return {
    async terminate(agent, reason) {
      if (!isEnded(agent)) await intervene(agent, 'terminate', reason)
    },
    async revive(agent) {
      if (isEnded(agent)) await intervene(agent, 'resume', 'its breaker lets it try again')
    },
  }
}
