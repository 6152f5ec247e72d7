import type { PolicySpec } from '../../kinds/policy/policy.schema.ts'
import { globMatches } from '../../lib/glob.ts'
import { isObject, type Json } from '../../lib/json.ts'
import type { PolicyVersion } from './compile.ts'
import type { PolicyRef } from './verdict.ts'

/** How an amount is meant to be split; nothing is paid by it. */
export interface Allocation {
  readonly policy: PolicyRef
  readonly rule: string
  readonly splits: readonly { readonly to: string; readonly type: 'percent' | 'fixed'; readonly value: number }[]
}

type TreasuryRule = NonNullable<PolicySpec['allocations']>[number]

/**
 * The first rule of each treasury policy that fits an event, by priority; an `ignore` says that nothing is to be split. Pure.
 * `data`: of the event; a rule is about its `product`, `channel`, `pou_id` and `metadata`.
 */
export function allocationsOf(
  policies: readonly PolicyVersion[],
  event: { readonly name: string; readonly data: { readonly [key: string]: Json } },
): readonly Allocation[] {
  return policies.flatMap(({ spec, ...policy }) => {
    const rules = [...(spec.allocations ?? [])].sort((a, b) => (a.priority ?? 100) - (b.priority ?? 100))
    const rule = rules.find((each) => fits(each, event.name, event.data))
    if (rule === undefined || rule.effect === 'ignore') return []
    return [{ policy, rule: rule.id, splits: rule.splits ?? [] }]
  })
}

function fits({ match }: TreasuryRule, name: string, data: { readonly [key: string]: Json }): boolean {
  const { event, product, channel, pouId, metadata = {} } = match
  const has = isObject(data['metadata']) ? data['metadata'] : {}
  return (
    globMatches(event, name) &&
    (product === undefined || data['product'] === product) &&
    (channel === undefined || data['channel'] === channel) &&
    (pouId === undefined || data['pou_id'] === pouId) &&
    Object.entries(metadata).every(([key, value]) => has[key] === value)
  )
}
