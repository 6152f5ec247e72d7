import type { ObjectKey } from '../kinds/resource.ts'
import { blastRadius } from './blast-radius.ts'
import type { Change } from './change-set.ts'
import { blocked } from './decide-change.ts'
import type { PlanInput } from './planned.ts'

/** Turns deletions over the limit into `blocked (BlastRadius)`; the digest of those that wait, or null. */
export function limitDeletions(changes: Map<ObjectKey, Change>, input: PlanInput): string | null {
  const deletions = [...changes].filter(([, change]) => change.action === 'delete').map(([key]) => key)
  if (deletions.length === 0) return null
  const counts = new Map<string, number>()
  for (const object of input.actual.values())
    if (!object.deleting) counts.set(object.kind, (counts.get(object.kind) ?? 0) + 1)
  const radius = blastRadius(deletions, (kind) => counts.get(kind) ?? 0, input.deletionLimit, input.deletions)
  for (const key of radius.blocked) {
    const before = input.actual.get(key)!
    changes.set(key, {
      ...blocked(
        key,
        before,
        'BlastRadius',
        `${radius.message}: run \`stateward approve deletions ${input.toRevision.slice(0, 12)}\` to let exactly these through`,
      ),
      file: before.file,
    })
  }
  return radius.digest
}
