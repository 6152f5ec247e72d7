import { keyOf, type ObjectKey } from '../../kinds/resource.ts'
import type { Issue } from '../../lib/issue.ts'
import type { Change } from '../../plan/change-set.ts'

/** An object that is blocked because its whole file cannot be read has the issues of the file. */
export function issuesByObject(issues: readonly Issue[], changes: readonly Change[]): Map<ObjectKey, readonly Issue[]> {
  const map = new Map<ObjectKey, readonly Issue[]>()
  for (const issue of issues) {
    if (issue.object === undefined) continue
    map.set(issue.object, [...(map.get(issue.object) ?? []), issue])
  }
  for (const change of changes) {
    const key = keyOf(change)
    if (change.action !== 'blocked' || change.reason !== 'ValidationFailed' || map.has(key)) continue
    map.set(
      key,
      issues.filter(({ file }) => file !== undefined && file === change.file),
    )
  }
  return map
}
