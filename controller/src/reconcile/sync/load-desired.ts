import { keyOf } from '../../kinds/resource.ts'
import { isLookedAt, type ParseOptions } from '../../parse/parse-file.ts'
import type { ParsedFile } from '../../parse/parsed-file.ts'
import { DesiredState } from '../../plan/desired-state.ts'
import type { Source, SourceFile } from '../../source/ports.ts'
import type { SourceFileRow } from '../../store/queries/sources.ts'
import { resourceOf, type World, type WorldObject } from '../world.ts'
import { parseFiles, withIdentity } from './parse-files.ts'

/**
 * Builds the desired state of a tree at a start. Files whose objects were applied from exactly these bytes are taken from
 * the database, so a restart parses only what changed, what is broken and what is blocked. Of files that are no manifests,
 * those that differ from `appliedTree` (null = all) and those with a row are looked through for secrets.
 */
export async function loadDesired(
  source: Source,
  { tree, appliedTree }: { readonly tree: string; readonly appliedTree: string | null },
  world: World,
  known: readonly SourceFileRow[],
  options: ParseOptions,
): Promise<DesiredState> {
  const desired = new DesiredState()
  const applied = Map.groupBy(
    [...world.objects.values()].filter((object) => object.source === source.name && !object.deleting),
    (object) => object.file,
  )
  const troubled = new Map(known.map((row) => [row.path, row]))
  const unread: SourceFile[] = []
  const changed = await changedSince(source, appliedTree, tree)
  for (const { to } of await source.changes(null, tree)) {
    if (to === null) continue
    if (!isLookedAt(to)) {
      if (changed === null || changed.has(to.path) || troubled.has(to.path)) unread.push(to)
      continue
    }
    const file = fromMemory(to, applied.get(to.path), troubled.get(to.path))
    if (file === null) unread.push(to)
    else desired.put(withIdentity(source, file))
  }
  for await (const file of parseFiles(source, unread, options)) desired.put(file)
  return desired
}

/** Null when nothing was applied, or the tree of it is no longer there: then everything counts as changed. */
async function changedSince(
  source: Source,
  appliedTree: string | null,
  tree: string,
): Promise<ReadonlySet<string> | null> {
  if (appliedTree === null) return null
  if (appliedTree === tree) return new Set()
  try {
    return new Set((await source.changes(appliedTree, tree)).map(({ path }) => path))
  } catch {
    return null
  }
}

function fromMemory(
  file: SourceFile,
  objects: readonly WorldObject[] | undefined,
  row: SourceFileRow | undefined,
): ParsedFile | null {
  const base = { path: file.path, oid: file.oid, issues: [], identified: [], unidentified: false }
  if (row !== undefined)
    return row.foreign_only && row.oid === file.oid ? { ...base, resources: [], ignored: row.ignored } : null
  if (objects === undefined || objects.some((object) => object.oid !== file.oid)) return null
  return {
    ...base,
    ignored: 0,
    resources: [...objects].sort((a, b) => a.document - b.document || (keyOf(a) < keyOf(b) ? -1 : 1)).map(resourceOf),
  }
}
