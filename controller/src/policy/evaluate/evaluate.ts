import type { CompiledPolicy } from './compile.ts'
import type { PolicyRequest } from './request.ts'
import { ALLOWED, type Opinion, type Requirements, type Verdict, WEIGHT } from './verdict.ts'

/**
 * What policies say of a request. Asked are those of the namespace of what it is about, of every namespace when that has
 * none. One policy never undoes what another one says: a deny wins, else an approval that is asked for (then all that ask
 * have to be satisfied), else an allow. Where no policy is about it, it is allowed. Pure.
 */
export function evaluate(policies: readonly CompiledPolicy[], request: PolicyRequest): Verdict {
  const { namespace } = request.resource
  const opinions: Opinion[] = []
  const advisory: Opinion[] = []
  for (const policy of policies) {
    if (namespace !== null && policy.ref.namespace !== namespace) continue
    const outcome = policy.ask(request)
    if (outcome === null) continue
    const { effect, rule, reason, requirements } = outcome
    const said = policy.enforced ? opinions : advisory
    const merges = effect === 'allow' && policy.autoMerge?.has(rule) === true
    said.push({ effect, policy: policy.ref, rule, reason, requirements, ...(merges ? AUTO_MERGE : {}) })
  }
  if (opinions.length === 0) return advisory.length === 0 ? ALLOWED : { ...ALLOWED, advisory }
  const strongest = opinions.reduce((a, b) => (WEIGHT[b.effect] > WEIGHT[a.effect] ? b : a))
  const { effect, policy, rule, reason } = strongest
  const requirements = opinions.length === 1 ? strongest.requirements : together(opinions, effect)
  return { effect, policy, rule, reason, requirements, opinions, advisory }
}

const AUTO_MERGE = { autoMerge: true } as const

function together(opinions: readonly Opinion[], effect: Verdict['effect']): Requirements {
  const all = opinions.map(({ requirements }) => requirements)
  return {
    approvals: effect === 'require_approval' ? all.flatMap(({ approvals }) => approvals) : [],
    testsRequired: all.some(({ testsRequired }) => testsRequired),
    timeWindow: all.find(({ timeWindow }) => timeWindow !== null)?.timeWindow ?? null,
  }
}
