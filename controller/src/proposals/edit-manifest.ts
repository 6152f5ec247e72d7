import { isDeepStrictEqual } from 'node:util'
import { loadAll } from 'js-yaml'
import { parseAllDocuments } from 'yaml'
import { fail } from '../lib/error-catalogue.ts'
import { isObject, type Json, valueAt } from '../lib/json.ts'

/**
 * Sets (or, with `undefined`, removes) one field of one document of a file and keeps everything else, comments included.
 * The result is read again by the parser that decides, and must differ in that field only. Throws SW_CONFLICT when the
 * file cannot be edited that way.
 */
export function editManifest(text: string, document: number, keys: readonly string[], value: Json | undefined): string {
  const parsed = parseAllDocuments(text)
  const documents = 'empty' in parsed ? [] : parsed
  const target = documents[document]
  if (target === undefined) throw fail('SW_CONFLICT', `the file has no document ${document}`)
  if (value === undefined) target.deleteIn(keys)
  else target.setIn(keys, value)
  const edited = documents.map((one) => one.toString({ lineWidth: 0 })).join('')
  assertOnlyThatChanged(text, edited, document, keys, value)
  return edited
}

function assertOnlyThatChanged(
  before: string,
  after: string,
  document: number,
  keys: readonly string[],
  value: Json | undefined,
): void {
  const old = loadAll(before)
  const now = loadAll(after)
  const pointer = `/${keys.join('/')}`
  const same = old.length === now.length && old.every((one, i) => i === document || isDeepStrictEqual(one, now[i]))
  const rest = isDeepStrictEqual(without(old[document], keys), without(now[document], keys))
  if (!same || !rest || !isDeepStrictEqual(valueAt(now[document], pointer), value)) {
    throw fail('SW_CONFLICT', `${pointer} cannot be set without changing more of the file`, {
      remedy: 'edit the file by hand and push it',
    })
  }
}

/** A copy without the field, and without parents that are left empty by that. */
function without(value: unknown, keys: readonly string[]): unknown {
  const [key, ...rest] = keys
  if (key === undefined || !isObject(value)) return value
  const { [key]: member, ...others } = value
  if (rest.length === 0 || member === undefined) return others
  const kept = without(member, rest)
  return isObject(kept) && Object.keys(kept).length === 0 ? others : { ...others, [key]: kept }
}
