import type { ParsedFile } from '../../parse/parsed-file.ts'
import type { Change } from '../../plan/change-set.ts'
import type { DesiredState } from '../../plan/desired-state.ts'
import type { SourceFileRow } from '../../store/queries/sources.ts'

/** What is read again at the next start, and what need not be, besides files that are simply applied. */

/** Paths whose rows are replaced, and the rows they get: a path without a row is healthy. */
export interface FileRows {
  readonly paths: readonly string[]
  readonly rows: readonly SourceFileRow[]
}

/**
 * The rows of the files `paths`, and of files of objects that wait: at the next start those have to be read again, since the
 * database holds another revision of them.
 */
export function fileRows(paths: readonly string[], changes: readonly Change[], desired: DesiredState): FileRows {
  const stale = new Set<string>()
  for (const { action, file } of changes) {
    if ((action === 'blocked' || action === 'skip') && file !== undefined) stale.add(file)
  }
  const replaced = [...new Set([...paths, ...stale])]
  const rows: SourceFileRow[] = []
  for (const path of replaced) {
    const file = desired.file(path)
    if (file === undefined) continue
    const waits = isBroken(file) || stale.has(path)
    if (waits || isRemarkable(file))
      rows.push({ path, oid: file.oid, ignored: file.ignored, foreign_only: !waits && file.resources.length === 0 })
  }
  return { paths: replaced, rows }
}

/** Other objects of a file that holds one of these are not applied: the file is not known by the one that is. */
export function partlyAppliedFiles(applied: readonly Change[], desired: DesiredState): FileRows {
  const rows = new Map<string, SourceFileRow>()
  for (const { file: path } of applied) {
    const file = path === undefined ? undefined : desired.file(path)
    if (file !== undefined) rows.set(file.path, { path: file.path, oid: file.oid, ignored: 0, foreign_only: false })
  }
  return { paths: [...rows.keys()], rows: [...rows.values()] }
}

function isBroken(file: ParsedFile): boolean {
  return file.issues.length > 0 || file.unidentified || file.identified.length > 0
}

/** More than "all its objects are applied", or less: such a file has a row. */
export function isRemarkable(file: ParsedFile): boolean {
  return isBroken(file) || file.ignored > 0 || file.resources.length === 0
}
