import { providerClass } from '../../kinds/model-provider/model-provider.kind.ts'
import type { ModelProviderSpec } from '../../kinds/model-provider/model-provider.schema.ts'
import { type SecretName, secretName, secretText } from '../../kinds/secret-ref.ts'
import type { ProviderFacts } from '../../store/queries/model-calls.ts'
import { done, type Outcome } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'

const AGAIN_MS = 30_000
const DAY_MS = 86_400_000

export interface ModelProviderReconcilerDeps {
  readonly facts: (provider: string, since: Date) => Promise<ProviderFacts>
  /** `closed`, `open` or `half_open`, and why. */
  readonly breaker: (provider: string) => Promise<{ readonly state: string; readonly reason: string }>
  readonly standing: (
    secret: SecretName,
  ) => Promise<{ readonly provider: string | null; readonly problem: string | null }>
  /** Loads the models of a provider that are always to be there, and says whether they are; null = it has none. */
  readonly keepLoaded: (provider: string) => { readonly ready: boolean; readonly problem: string | null } | null
  /** Models that servers of ours have loaded. */
  readonly loaded: (provider: string) => readonly string[]
  /** Ends the server of a provider. */
  readonly unload: (provider: string) => Promise<void>
  /** The variable that is missing; null = none is. */
  readonly missingVariable: (type: string) => string | null
}

/** Whether a provider can be asked, and how its last calls went. It is asked by whoever needs a model, not from here. */
export function modelProviderReconciler(deps: ModelProviderReconcilerDeps): KindReconciler {
  const measure: Phase = async ({ object, spec, fields, conditions, now }) => {
    const facts = await deps.facts(object.name, new Date(now.getTime() - DAY_MS))
    const breaker = await deps.breaker(object.name)
    fields['class'] = providerClass(spec)
    fields['breaker'] = breaker.state
    fields['calls'] = facts.calls
    fields['failures'] = facts.failures
    if (facts.last_call !== null) fields['lastCallTime'] = facts.last_call.toISOString()
    const drift = facts.drift.filter(({ asked, answered }) => !isMerged(spec, asked, answered))
    if (drift.length > 0) fields['drift'] = drift.slice(0, 20)
    const health = healthOf(facts, breaker)
    fields['health'] = health.message
    conditions.set('Healthy', health.status, health.reason, health.message)
    if (drift.length > 0) {
      const pairs = drift.map(({ asked, answered }) => `${answered} answered for ${asked}`)
      conditions.set('AliasDrift', 'True', 'AnotherModel', pairs.join('; '))
    }
    return null
  }
  const look: Phase = async ({ spec, suspended }): Promise<Outcome> => {
    const { secretRef, type } = spec as unknown as ModelProviderSpec
    if (suspended) return { kind: 'done', again: AGAIN_MS }
    const missing = (message: string): Outcome => ({
      kind: 'waiting',
      reason: 'SecretMissing',
      message,
      after: AGAIN_MS,
    })
    if (secretRef === undefined) {
      const variable = deps.missingVariable(type)
      return variable === null ? { kind: 'done', again: AGAIN_MS } : missing(`not set: variable ${variable}`)
    }
    const secret = secretName(secretRef)
    const { provider, problem } = await deps.standing(secret)
    if (provider !== null) return { kind: 'done', again: AGAIN_MS }
    return missing(problem ?? `not there: secret ${secretText(secret)}`)
  }
  const load: Phase = async ({ object, spec, suspended, fields }): Promise<Outcome | null> => {
    const { server } = spec as unknown as ModelProviderSpec
    if (server === undefined || suspended) await deps.unload(object.name)
    const standing = deps.keepLoaded(object.name)
    if (server !== undefined && !suspended) fields['loaded'] = [...deps.loaded(object.name)]
    if (standing === null || standing.ready) return null
    const message = standing.problem ?? 'its models that are always loaded are being loaded'
    const reason = standing.problem === null ? 'Starting' : 'Failed'
    return { kind: 'waiting', reason, message, after: standing.problem === null ? 500 : AGAIN_MS }
  }
  const finalize: KindReconciler['finalize'] = async ({ object }) => {
    await deps.unload(object.name)
    return done
  }
  return { kind: 'ModelProvider', phases: [measure, load, look], finalize }
}

/** Whether Git says that this one may answer. */
function isMerged(spec: Readonly<Record<string, unknown>>, asked: string, answered: string): boolean {
  const { models = [] } = spec as unknown as ModelProviderSpec
  return models.some(({ name, answeredBy = [] }) => name === asked && answeredBy.includes(answered))
}

function healthOf(
  facts: ProviderFacts,
  breaker: { readonly state: string; readonly reason: string },
): {
  readonly status: 'True' | 'False'
  readonly reason: 'Succeeded' | 'Failed' | 'NotAsked'
  readonly message: string
} {
  if (breaker.state !== 'closed')
    return {
      status: 'False',
      reason: 'Failed',
      message: `its breaker is ${breaker.state.replace('_', ' ')}: ${breaker.reason}`,
    }
  if (facts.last_state === null) return { status: 'True', reason: 'NotAsked', message: 'nothing was asked of it yet' }
  if (facts.last_state === 'completed')
    return { status: 'True', reason: 'Succeeded', message: 'its last call was answered' }
  return {
    status: 'True',
    reason: 'Failed',
    message: `its last call failed: ${facts.last_problem ?? 'unknown'}`.slice(0, 500),
  }
}
