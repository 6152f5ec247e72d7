import type { ObjectKey } from '../kinds/resource.ts'
import type { Issue } from '../lib/issue.ts'
import type { DesiredState } from './desired-state.ts'
import { issueOf } from './evaluate.ts'

/** Fields beside the name that no two objects of a kind may have in common; of a list, none of its items. */
const UNIQUE_FIELDS: readonly {
  readonly kind: string
  readonly field: string
  readonly hint: string
  /** What of a value has to be unique; default: all of it. */
  readonly part?: (value: string) => string
}[] = [
  { kind: 'Agent', field: 'agentId', hint: 'give each agent an id of its own' },
  { kind: 'EventType', field: 'event', hint: 'declare each event once' },
  { kind: 'Principal', field: 'emails', hint: 'an address is of one person', part: (email) => email.toLowerCase() },
  {
    kind: 'Principal',
    field: 'signingKeys',
    hint: 'a key is of one person',
    part: (key) => key.split(' ').slice(0, 2).join(' '),
  },
]

/** The objects of the scope that have such a field in common with another one; each gets an issue. */
export function duplicateFields(
  scope: ReadonlySet<ObjectKey>,
  desired: DesiredState,
  issues: Issue[],
): ReadonlySet<ObjectKey> {
  const found = new Set<ObjectKey>()
  for (const { kind, field, hint, part = (value: string) => value } of UNIQUE_FIELDS) {
    const valuesOf = (key: ObjectKey): string[] => {
      const value = key.startsWith(`${kind}/`) ? desired.get(key)?.resource.spec[field] : undefined
      return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string').map(part)
    }
    if (![...scope].some((key) => valuesOf(key).length > 0)) continue
    const byValue = new Map<string, Set<ObjectKey>>()
    for (const key of desired.keys())
      for (const value of valuesOf(key)) byValue.set(value, (byValue.get(value) ?? new Set()).add(key))
    for (const [value, keys] of byValue) {
      if (keys.size < 2) continue
      for (const key of keys) {
        if (!scope.has(key)) continue
        found.add(key)
        const others = [...keys].filter((other) => other !== key).join(', ')
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
