import type { ApprovalRequirement, ChangeVerdict } from '../plan/approvals/requirement.ts'
import { askedByText } from '../plan/approvals/requirement.ts'
import type { Opinion, Verdict } from '../policy/evaluate/verdict.ts'
import { WEIGHT } from '../policy/evaluate/verdict.ts'

/** What policies say of a change, with who asks for what; owners of its paths ask besides. */
export function changeVerdict(verdicts: readonly Verdict[], owners: readonly ApprovalRequirement[]): ChangeVerdict {
  const strongest = verdicts.reduce<Verdict | null>(
    (a, b) => (a === null || WEIGHT[b.effect] > WEIGHT[a.effect] ? b : a),
    null,
  )
  const advisory = [...new Set(verdicts.flatMap(({ advisory: said }) => said.flatMap(advisoryText)))]
  const by = strongest === null || strongest.policy === null ? null : whoSays(strongest)
  if (strongest?.effect === 'deny')
    return { effect: 'deny', by, reason: `${whoSays(strongest)}: ${strongest.reason}`, requirements: [], advisory }
  const requirements = [...unique(verdicts.flatMap(({ opinions }) => opinions.flatMap(requirementsOf))), ...owners]
  // Everybody whose change it is has to be let through.
  const autoMerge =
    requirements.length === 0 &&
    verdicts.length > 0 &&
    verdicts.every(({ opinions }) => opinions.some((said) => said.autoMerge === true))
  return {
    effect: requirements.length === 0 ? 'allow' : 'require_approval',
    by,
    autoMerge,
    reason: '',
    requirements,
    advisory,
  }
}

function requirementsOf({ effect, policy, rule, requirements }: Opinion): ApprovalRequirement[] {
  if (effect !== 'require_approval') return []
  return requirements.approvals.map(({ min, fromAnyOf }) => ({
    min,
    fromAnyOf,
    askedBy: { kind: 'policy', ...policy, rule },
  }))
}

/** Several authors are asked about; what is asked because of each is asked once. */
function unique(requirements: readonly ApprovalRequirement[]): ApprovalRequirement[] {
  return [...new Map(requirements.map((each) => [JSON.stringify(each), each])).values()]
}

function whoSays({ policy, rule }: Verdict): string {
  return policy === null ? 'a policy' : askedByText({ kind: 'policy', ...policy, rule })
}

function advisoryText({ effect, policy, rule, reason }: Opinion): string[] {
  if (effect === 'allow') return []
  const would = effect === 'deny' ? 'would deny it' : 'would ask for an approval'
  return [`${askedByText({ kind: 'policy', ...policy, rule })} only records: it ${would} (${reason})`]
}
