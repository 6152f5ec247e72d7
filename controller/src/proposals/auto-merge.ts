import { CODE_OWNERS_FILES } from '../kinds/source/code-owners-files.ts'
import type { Change } from '../plan/change-set.ts'

/** What decides about everything else: it is never changed without a person. */
const CONTROL_KINDS = new Set(['Approval', 'Budget', 'Environment', 'Policy', 'Principal', 'SecretStore', 'Source'])
const CONTROL_FILES = new Set<string>([...CODE_OWNERS_FILES, '.statewardignore'])

/** Name of the check that says why a proposal lands by itself; it is there only when it does. */
export const AUTO_MERGE_CHECK = 'merge'

/**
 * The policies that let a proposal land by itself, in words; null when a person has to merge it. Every change has to be allowed by
 * a rule that says so, none of what decides may be touched, and every file has to belong to one of those changes. `files` are
 * paths in the source. Pure.
 */
export function landsBy(changes: readonly Change[], files: readonly string[]): string | null {
  const made = changes.filter(({ action }) => action !== 'unchanged')
  if (made.length === 0 || made.some((change) => !isFree(change))) return null
  const owned = new Set(made.map(({ file }) => file))
  if (files.some((file) => isControlFile(file) || !owned.has(file))) return null
  return [...new Set(made.map(({ verdict }) => verdict!.by))].join(', ')
}

function isFree({ action, kind, held, verdict }: Change): boolean {
  const isMade = action === 'create' || action === 'update' || action === 'delete'
  return isMade && held === undefined && verdict?.autoMerge === true && !CONTROL_KINDS.has(kind)
}

function isControlFile(file: string): boolean {
  return CONTROL_FILES.has(file) || file.endsWith('/.statewardignore')
}

/** Who is named as whoever merged it. */
export const AUTO_MERGER = 'system:policies'
