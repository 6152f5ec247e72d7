import { keyOf, type ObjectKey, refOf } from '../../kinds/resource.ts'
import { outlineFile } from '../../parse/outline-file.ts'
import { isManifestPath, type ParseOptions } from '../../parse/parse-file.ts'
import type { ParsedFile } from '../../parse/parsed-file.ts'
import { sketchFile } from '../../parse/sketch-file.ts'
import type { ActualState } from '../../plan/actual-state.ts'
import { DesiredState } from '../../plan/desired-state.ts'
import { affectedBy } from '../../plan/scope.ts'
import type { Revision, Source, SourceFile } from '../../source/ports.ts'
import { BUILTIN_PATH } from './builtin-path.ts'
import type { Observed } from './observed.ts'
import { parseFiles } from './parse-files.ts'

/** Two revisions as far as a plan from one to the other needs them. */
export interface RevisionPair {
  readonly base: DesiredState
  readonly wanted: DesiredState
  /** Objects whose plan may differ; null = all. */
  readonly scope: ReadonlySet<ObjectKey> | null
  /** The scope, with what its objects name on either side: checked as a document of its own, as the rest is not. */
  readonly checked: ReadonlySet<ObjectKey> | null
}

interface Given {
  readonly parse: ParseOptions
  /** What is declared where the documents do not; null = nothing. */
  readonly builtin: ((declared: (key: ObjectKey) => boolean) => ParsedFile) | null
}

type Trees = Pick<Revision, 'commit' | 'tree'>
const NONE: ActualState = new Map()
const NO_SKETCHES: ReadonlyMap<string, string> = new Map()

/**
 * Reads both and checks what differs, what depends on that, and what that names. Of a large state nearly everything is the same
 * on both sides: that is only read for what it is called and whom it names.
 */
export async function readRevisions(
  source: Source,
  from: Trees,
  to: Trees,
  given: Given & { readonly observed: Observed | null },
): Promise<RevisionPair> {
  const { observed, parse: options } = given
  const all = present(await source.changes(null, to.tree))
  const added = await source.changes(from.tree, to.tree)
  const changed = new Set(added.map(({ path }) => path))
  const same = all.filter(({ path }) => !changed.has(path))
  const kept = await readUnchecked(source, same, options)
  const before = await parsed(source, present(await source.changes(to.tree, from.tree)), options)
  const after = await parsed(source, present(added), options)
  const [base, wanted] = [before, after].map((files) => stateOf([...kept.files, ...files], given, kept.sketches)) as [
    DesiredState,
    DesiredState,
  ]
  const touched = new Set<ObjectKey>([...before, ...after].flatMap(declaredIn))
  for (const key of (await observed?.unsettled(base)) ?? []) touched.add(key)
  const scope = scopeOf({ base, wanted }, touched, changed, kept.sketches)
  const checked = new Set([...base.neededBy(scope), ...wanted.neededBy(scope)])
  const closer = await closerLook(source, same, kept.unchecked, { base, wanted, scope, checked }, options)
  for (const file of closer) for (const state of [base, wanted]) replace(state, file)
  return { base, wanted, scope, checked }
}

/**
 * Everything whose plan may differ. Who names what is asked only of files whose text mentions the name of something that is
 * affected, or a path that changed; a name that is found that way is looked for in turn.
 */
function scopeOf(
  { base, wanted }: Pick<RevisionPair, 'base' | 'wanted'>,
  touched: ReadonlySet<ObjectKey>,
  changed: ReadonlySet<string>,
  sketches: ReadonlyMap<string, string>,
): ReadonlySet<ObjectKey> {
  const unasked = new Map(sketches)
  const sought = new Set<string>()
  let words = new Set([...changed].flatMap(withFolders))
  for (let scope = touched; ; ) {
    for (const key of scope) words.add(refOf(key).name)
    words = new Set([...words].filter((word) => !sought.has(word)))
    for (const word of words) sought.add(word)
    for (const path of mentioning(unasked, words)) {
      unasked.delete(path)
      for (const state of [base, wanted]) state.learn(path)
    }
    const wider = affectedBy(affectedBy(scope, changed, base, NONE), changed, wanted, NONE)
    if (wider.size === scope.size && words.size === 0) return wider
    scope = wider
  }
}

/** More words than this: reading everything is quicker than looking for them. */
const MAX_WORDS = 100

function mentioning(texts: ReadonlyMap<string, string>, words: ReadonlySet<string>): string[] {
  if (words.size === 0) return []
  if (words.size > MAX_WORDS) return [...texts.keys()]
  const list = [...words]
  // An escape may spell anything.
  return [...texts].flatMap(([path, text]) =>
    text.includes('\\') || list.some((word) => text.includes(word)) ? [path] : [],
  )
}

function withFolders(path: string): string[] {
  const parts = path.split('/')
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}

/** Reads and checks all of both. */
export async function readWholeRevisions(
  source: Source,
  from: Trees | null,
  to: Trees,
  given: Given,
): Promise<RevisionPair> {
  const { parse: options } = given
  const files = present(await source.changes(null, to.tree))
  const wanted = await parsed(source, files, options)
  if (from === null) return { base: new DesiredState(), wanted: stateOf(wanted, given), scope: null, checked: null }
  // The same bytes at the same place say the same.
  const known = new Map(wanted.map((file) => [`${file.path}\0${file.oid}`, file]))
  const former = present(await source.changes(null, from.tree))
  const same = former.flatMap(({ path, oid }) => known.get(`${path}\0${oid}`) ?? [])
  const others = new Set(same.map(({ path }) => path))
  const unread = former.filter(({ path }) => !others.has(path))
  const base = stateOf([...same, ...(await parsed(source, unread, options))], given)
  return { base, wanted: stateOf(wanted, given), scope: null, checked: null }
}

function present(changes: readonly { readonly to: SourceFile | null }[]): SourceFile[] {
  return changes.flatMap(({ to }) => (to === null ? [] : [to]))
}

async function parsed(source: Source, files: readonly SourceFile[], options: ParseOptions): Promise<ParsedFile[]> {
  const found: ParsedFile[] = []
  for await (const file of parseFiles(source, files, options)) found.push(file)
  return found
}

/** In the order of the tree: of two that say the same, the later one is told to be the copy. */
function stateOf(
  files: readonly ParsedFile[],
  { builtin }: Given,
  sketches: ReadonlyMap<string, string> = NO_SKETCHES,
): DesiredState {
  const state = new DesiredState()
  for (const file of files.toSorted((a, b) => (a.path < b.path ? -1 : 1)))
    state.put(file, { named: !sketches.has(file.path) })
  if (builtin !== null) state.put({ ...builtin((key) => state.all(key).length > 0), path: BUILTIN_PATH })
  return state
}

function declaredIn({ resources, identified }: ParsedFile): ObjectKey[] {
  return [...resources.map(keyOf), ...identified]
}

interface Unchecked {
  readonly files: readonly ParsedFile[]
  /** Texts of those of which only the name was read, by path. */
  readonly sketches: ReadonlyMap<string, string>
  /** Paths of all that nobody checked. */
  readonly unchecked: ReadonlySet<string>
}

/**
 * Files as they are called: by their text where it is plain, else by what a parser reads. What holds more than plain documents is
 * parsed and checked at once. Programs and prompts are looked into where they are named.
 */
async function readUnchecked(source: Source, same: readonly SourceFile[], options: ParseOptions): Promise<Unchecked> {
  const files: ParsedFile[] = []
  const sketches = new Map<string, string>()
  const unchecked = new Set<string>()
  const odd = same.filter(({ mode }) => !mode.startsWith('100'))
  const manifests = same.filter(({ mode, path }) => mode.startsWith('100') && isManifestPath(path))
  for await (const { file, size, bytes } of source.read(manifests, { maxBytes: options.limits.maxFileBytes })) {
    const input = { ...file, size, bytes }
    const sketch = sketchFile(input, options)
    if (sketch !== null) sketches.set(file.path, sketch.text)
    const outline = sketch?.file ?? outlineFile(input, options)
    if (outline === null) odd.push(file)
    else {
      unchecked.add(file.path)
      files.push(outline)
    }
  }
  for await (const file of parseFiles(source, odd, options)) files.push(file)
  return { files, sketches, unchecked }
}

/** Everything that declares one of the objects, and what stands below the paths they name. */
async function closerLook(
  source: Source,
  same: readonly SourceFile[],
  outlined: ReadonlySet<string>,
  { base, wanted, scope, checked }: { readonly [name in keyof RevisionPair]-?: NonNullable<RevisionPair[name]> },
  options: ParseOptions,
): Promise<ParsedFile[]> {
  const paths = new Set<string>()
  for (const state of [base, wanted])
    for (const key of checked) for (const { resource } of state.all(key)) paths.add(resource.origin.file)
  const named = new Set([...base.filePathsOf(scope), ...wanted.filePathsOf(scope)])
  const files = same.filter(({ path }) =>
    outlined.has(path) ? paths.has(path) || isBelow(path, named) : !isManifestPath(path) && isBelow(path, named),
  )
  return parsed(source, files, options)
}

/** Whether a path, or a folder above it, is one of these. */
function isBelow(path: string, named: ReadonlySet<string>): boolean {
  if (named.size === 0) return false
  if (named.has('.') || named.has('')) return true
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
    if (named.has(path.slice(0, end))) return true
  return false
}

function replace(state: DesiredState, file: ParsedFile): void {
  if (state.file(file.path) === undefined) state.put(file)
  else state.refine(file)
}
