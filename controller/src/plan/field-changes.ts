import { isObject, type Json, pointerToken } from '../lib/json.ts'
import type { FieldChange } from './change-set.ts'

/** What differs between two values, field by field, as JSON pointers. Lists are compared item by item at the same place. */
export function fieldChanges(from: unknown, to: unknown, pointer = ''): FieldChange[] {
  if (from === to) return []
  if (from === undefined) return [{ op: 'add', pointer, to: to as Json }]
  if (to === undefined) return [{ op: 'remove', pointer, from: from as Json }]
  if (isObject(from) && isObject(to)) {
    const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort()
    return keys.flatMap((key) =>
      fieldChanges(ownMember(from, key), ownMember(to, key), `${pointer}/${pointerToken(key)}`),
    )
  }
  if (Array.isArray(from) && Array.isArray(to)) {
    const changes: FieldChange[] = []
    for (let i = 0; i < Math.max(from.length, to.length); i++)
      changes.push(...fieldChanges(from[i], to[i], `${pointer}/${i}`))
    return changes
  }
  return [{ op: 'replace', pointer, from: from as Json, to: to as Json }]
}

/** A key such as `constructor` is one of the document's only where the document has it. */
function ownMember(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined
}
