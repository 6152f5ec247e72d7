import { kindOf } from '../kinds/registry.ts'
import { keyOf, type ObjectKey, type Resource } from '../kinds/resource.ts'
import type { Issue } from '../lib/issue.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import type { ParsedFile } from '../parse/parsed-file.ts'

/** A declared object with the oid of the file it stands in. */
export interface Declared {
  readonly resource: Resource
  readonly oid: string
}

/**
 * What the files of one source want, indexed by object. Files are put in and taken out one by one, so a one-file commit
 * costs one file. Holds no I/O; the one mutable thing of the planner.
 */
export class DesiredState {
  readonly #files = new Map<string, ParsedFile>()
  /** The few files that hold problems or foreign documents. */
  readonly #troubled = new Map<string, ParsedFile>()
  /** Plaintext secrets by file: refused, whatever the file is for. */
  readonly #secrets = new Map<string, readonly Issue[]>()
  readonly #byKey = new Map<ObjectKey, Declared[]>()
  /** Who names a key (`templateRef`, `dependsOn` …), so that a change finds its dependants. */
  readonly #namedBy = new Map<ObjectKey, Set<ObjectKey>>()
  /** Who names a file or directory of the repo (`workdir`). */
  readonly #fileUsers = new Map<string, Set<ObjectKey>>()

  /** Replaces a file; answers with the keys that may have changed. `named: false`: whom it names is not asked before {@link learn}. */
  put(file: ParsedFile, { named = true }: { readonly named?: boolean } = {}): Set<ObjectKey> {
    const touched = this.remove(file.path)
    this.#files.set(file.path, file)
    this.#note(file)
    for (const resource of file.resources) {
      const key = keyOf(resource)
      touched.add(key)
      const declared = this.#byKey.get(key)
      if (declared === undefined) this.#byKey.set(key, [{ resource, oid: file.oid }])
      else declared.push({ resource, oid: file.oid })
      if (named) this.#index(resource)
    }
    for (const key of file.identified) touched.add(key)
    return touched
  }

  /** Whom the objects of a file name, which was put without that. */
  learn(path: string): void {
    for (const resource of this.#files.get(path)?.resources ?? []) this.#index(resource)
  }

  /** Puts the same bytes after a closer look: what a file declares stays where it stands, unless it turns out to be broken. */
  refine(file: ParsedFile): void {
    const before = this.#files.get(file.path)
    this.#files.set(file.path, file)
    this.#note(file)
    for (const old of before?.resources ?? []) {
      const key = keyOf(old)
      const found = file.resources.find((one) => one.origin.document === old.origin.document && keyOf(one) === key)
      if (found !== undefined) this.#index(found)
      const declared = (this.#byKey.get(key) ?? []).flatMap((one) =>
        one.resource !== old ? [one] : found === undefined ? [] : [{ resource: found, oid: file.oid }],
      )
      if (declared.length === 0) this.#byKey.delete(key)
      else this.#byKey.set(key, declared)
    }
  }

  #note(file: ParsedFile): void {
    if (file.issues.length > 0 || file.ignored > 0 || file.unidentified || file.identified.length > 0)
      this.#troubled.set(file.path, file)
    const secrets = file.issues.filter(({ code }) => code === 'SW_PLAINTEXT_SECRET')
    if (secrets.length > 0) this.#secrets.set(file.path, secrets)
  }

  remove(path: string): Set<ObjectKey> {
    const touched = new Set<ObjectKey>()
    const file = this.#files.get(path)
    if (file === undefined) return touched
    this.#files.delete(path)
    this.#troubled.delete(path)
    this.#secrets.delete(path)
    for (const resource of file.resources) {
      const key = keyOf(resource)
      touched.add(key)
      const left = (this.#byKey.get(key) ?? []).filter((declared) => declared.resource !== resource)
      if (left.length === 0) this.#byKey.delete(key)
      else this.#byKey.set(key, left)
      for (const target of referenceKeys(resource)) this.#namedBy.get(target)?.delete(key)
      for (const path of filePaths(resource)) this.#fileUsers.get(path)?.delete(key)
      // A moved document is declared twice for a moment: what the one that stays names is still named.
      for (const declared of left) this.#index(declared.resource)
    }
    for (const key of file.identified) touched.add(key)
    return touched
  }

  #index(resource: Resource): void {
    const key = keyOf(resource)
    for (const target of referenceKeys(resource)) addTo(this.#namedBy, target, key)
    for (const path of filePaths(resource)) addTo(this.#fileUsers, path, key)
  }

  /** The one declaration of a key; null when there is none, or more than one (then nobody can say which is meant). */
  get(key: ObjectKey): Declared | null {
    const declared = this.#byKey.get(key)
    return declared?.length === 1 ? declared[0]! : null
  }

  all(key: ObjectKey): readonly Declared[] {
    return this.#byKey.get(key) ?? []
  }

  keys(): IterableIterator<ObjectKey> {
    return this.#byKey.keys()
  }

  /** How many objects are declared. */
  get size(): number {
    return this.#byKey.size
  }

  /** Files with problems or foreign documents. */
  troubled(): IterableIterator<ParsedFile> {
    return this.#troubled.values()
  }

  /** Objects of which is known that a broken document declares them. */
  *identified(): Iterable<ObjectKey> {
    for (const file of this.#troubled.values()) yield* file.identified
  }

  paths(): IterableIterator<string> {
    return this.#files.keys()
  }

  file(path: string): ParsedFile | undefined {
    return this.#files.get(path)
  }

  /** Objects that name this one. */
  namedBy(key: ObjectKey): ReadonlySet<ObjectKey> {
    return this.#namedBy.get(key) ?? EMPTY
  }

  issues(): Issue[] {
    return [...this.#troubled.values()].flatMap((file) => file.issues)
  }

  ignored(): number {
    let count = 0
    for (const file of this.#troubled.values()) count += file.ignored
    return count
  }

  /** Every file or directory that some object names. */
  *filePaths(): Iterable<string> {
    for (const [path, users] of this.#fileUsers) if (users.size > 0) yield path
  }

  /** Files and directories that these objects name. */
  filePathsOf(keys: Iterable<ObjectKey>): Set<string> {
    const paths = new Set<string>()
    for (const key of keys)
      for (const { resource } of this.all(key)) for (const path of filePaths(resource)) paths.add(path)
    return paths
  }

  /** What these objects name, directly or through others, with the environments they stand in. */
  neededBy(keys: Iterable<ObjectKey>): Set<ObjectKey> {
    const found = new Set<ObjectKey>()
    const queue = [...keys]
    for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
      if (found.has(key)) continue
      found.add(key)
      for (const { resource } of this.all(key)) {
        queue.push(...referenceKeys(resource))
        if (resource.namespace !== '') queue.push(targetKey('Environment', '', resource.namespace))
      }
    }
    return found
  }

  /** Plaintext secrets in a file, or in the files of a directory. */
  secretsBelow(path: string): Issue[] {
    const found: Issue[] = []
    for (const [file, issues] of this.#secrets)
      if (path === '' || path === '.' || file === path || file.startsWith(`${path}/`)) found.push(...issues)
    return found
  }

  /** Objects that name this path or a directory above it. */
  usersOfFile(path: string): Set<ObjectKey> {
    const users = new Set<ObjectKey>()
    const parts = path.split('/')
    for (let length = 1; length <= parts.length; length++) {
      for (const key of this.#fileUsers.get(parts.slice(0, length).join('/')) ?? []) users.add(key)
    }
    return users
  }
}

function addTo<K>(index: Map<K, Set<ObjectKey>>, at: K, key: ObjectKey): void {
  const keys = index.get(at)
  if (keys === undefined) index.set(at, new Set([key]))
  else keys.add(key)
}

/** Also what an Environment puts into other objects. */
function filePaths(resource: Resource): string[] {
  const inherited = resource.kind === 'Environment' ? patchesOf(resource) : []
  return [{ kind: resource.kind, spec: resource.spec }, ...inherited].flatMap(({ kind, spec }) =>
    (kindOf(kind)?.files(spec) ?? []).map((file) => file.path),
  )
}

function patchesOf(environment: Resource): { kind: string; spec: JsonObject }[] {
  const overrides = environment.spec['overrides']
  if (!Array.isArray(overrides)) return []
  return overrides.flatMap((override) => {
    if (!isObject(override) || !isObject(override['target']) || !isObject(override['patch'])) return []
    return [{ kind: String(override['target']['kind']), spec: override['patch'] as JsonObject }]
  })
}

const EMPTY: ReadonlySet<ObjectKey> = new Set()

/** The key a reference points at: in the namer's namespace unless the kind is cluster-scoped. */
export function targetKey(kind: string, namespace: string, name: string): ObjectKey {
  return keyOf({ kind, namespace: kindOf(kind)?.scope === 'Cluster' ? '' : namespace, name })
}

/** Every key a resource names, alternatives included. */
function referenceKeys(resource: Resource): ObjectKey[] {
  const definition = kindOf(resource.kind)
  if (definition === undefined) return []
  return definition
    .references(resource.spec)
    .flatMap((reference) =>
      [reference.kind, ...(reference.alternatives ?? [])].map((kind) =>
        targetKey(kind, resource.namespace, reference.name),
      ),
    )
}
