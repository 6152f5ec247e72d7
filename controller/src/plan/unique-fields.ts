import type { ObjectKey } from '../kinds/resource.ts'
import type { Issue } from '../lib/issue.ts'
import type { DesiredState } from './desired-state.ts'
import { issueOf } from './evaluate.ts'

/** Fields beside the name that no two objects of a kind may have in common. */
const UNIQUE_FIELDS = [
  { kind: 'Agent', field: 'agentId', hint: 'give each agent an id of its own' },
  { kind: 'EventType', field: 'event', hint: 'declare each event once' },
] as const

/** The objects of the scope that have such a field in common with another one; each gets an issue. */
export function duplicateFields(
  scope: ReadonlySet<ObjectKey>,
  desired: DesiredState,
  issues: Issue[],
): ReadonlySet<ObjectKey> {
  const found = new Set<ObjectKey>()
  for (const { kind, field, hint } of UNIQUE_FIELDS) {
    const fieldOf = (key: ObjectKey) =>
      key.startsWith(`${kind}/`) ? desired.get(key)?.resource.spec[field] : undefined
    if (![...scope].some((key) => fieldOf(key) !== undefined)) continue
    const byValue = Map.groupBy(
      [...desired.keys()].filter((key) => fieldOf(key) !== undefined),
      fieldOf,
    )
    for (const [value, keys] of byValue) {
      if (keys.length < 2) continue
      for (const key of keys) {
        if (!scope.has(key)) continue
        found.add(key)
        const others = keys.filter((other) => other !== key).join(', ')
        issues.push(
          issueOf(
            {
              code: 'SW_DUPLICATE_OBJECT',
              pointer: `/spec/${field}`,
              message: `${field} ${JSON.stringify(value)} is also that of ${others}`,
              hint,
            },
            desired.get(key)!.resource,
          ),
        )
      }
    }
  }
  return found
}
