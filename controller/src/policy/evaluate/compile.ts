import type { PolicySpec } from '../../kinds/policy/policy.schema.ts'
import { collectRequirements, denyOverrides, firstMatch, type Mode, type Outcome } from './modes.ts'
import type { PolicyRequest } from './request.ts'
import { type CompiledRule, compileRule } from './rule.ts'
import type { PolicyRef } from './verdict.ts'

/** A version of a policy, as it was activated. */
export interface PolicyVersion extends PolicyRef {
  /** With or without its defaults. */
  readonly spec: PolicySpec
}

/** A version that can be asked at once; made once for each version. */
export interface CompiledPolicy {
  readonly ref: PolicyRef
  readonly enforced: boolean
  readonly rules: number
  /** Rules that let proposals of what they allow land by themselves; left out = none. */
  readonly autoMerge?: ReadonlySet<string>
  /** What it says of a request of its namespace; null = nothing. */
  readonly ask: (request: PolicyRequest) => Outcome | null
}

const MODES: Readonly<Record<NonNullable<PolicySpec['evaluationMode']>, Mode>> = {
  first_match: firstMatch,
  deny_overrides: denyOverrides,
  collect_requirements: collectRequirements,
}

/** How many actions a policy remembers the rules of. */
const MAX_ACTIONS = 1000

/** Throws for a schedule or an expression that is none; the check of the document tells before. */
export function compilePolicy({ spec, ...ref }: PolicyVersion): CompiledPolicy {
  const rules = (spec.rules ?? [])
    .map((rule) => compileRule(rule, ref.namespace))
    // Stable: rules of one priority are read as they stand in the file.
    .sort((a, b) => a.priority - b.priority)
  const mode = MODES[spec.evaluationMode ?? 'first_match']
  const about = rulesByAction(rules)
  const merging = new Set((spec.rules ?? []).flatMap(({ id, autoMerge }) => (autoMerge === true ? [id] : [])))
  return {
    ref: Object.freeze(ref),
    enforced: spec.enforcement !== 'evaluate_only',
    rules: rules.length,
    ...(merging.size === 0 ? {} : { autoMerge: merging }),
    ask: (request) => {
      const asked = about(request)
      return asked.length === 0 ? null : mode(asked, request)
    },
  }
}

/** The rules about the action of a request, in their order. */
function rulesByAction(rules: readonly CompiledRule[]): (request: PolicyRequest) => readonly CompiledRule[] {
  const known = new Map<string, readonly CompiledRule[]>()
  return ({ action, aliases }) => {
    const key = aliases === undefined || aliases.length === 0 ? action : [action, ...aliases].join('\n')
    let found = known.get(key)
    if (found === undefined) {
      const names = [action, ...(aliases ?? [])]
      found = rules.filter((rule) => names.some(rule.fitsAction))
      if (known.size >= MAX_ACTIONS) known.clear()
      known.set(key, found)
    }
    return found
  }
}
