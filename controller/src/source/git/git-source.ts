import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { fail } from '../../lib/error-catalogue.ts'
import type { SourceLog } from '../log.ts'
import type { GitRepository, Revision, Source, SourceFile, TreeEntry } from '../ports.ts'
import { IgnoredChanges } from './ignored-changes.ts'
import { incomplete } from './incomplete.ts'
import { TREE_MODE } from './objects/tree-object.ts'
import type { GitOptions } from './open-repository.ts'
import { chooseAdapter, initBareRepository, openRepository } from './open-repository.ts'
import { isOid, isValidRefName, refCandidates } from './ref-names.ts'
import { watchRefs } from './ref-watch.ts'
import { RemoteMirror, refMissing } from './remote-mirror.ts'
import { isHttpUrl, isRemoteUrl, redactUrls, withCredentials } from './remote-url.ts'
import { isMissing, locateRepository } from './repository-layout.ts'

export interface GitSourceConfig extends GitOptions {
  readonly name: string
  /** A path or `file:` URL, opened in place and watched; or a URL (`https:`, `ssh:`, `user@host:path`), kept in a mirror. */
  readonly repo: string
  /** A branch, a tag, a full ref name or a commit's oid. */
  readonly ref: string
  /** The directory of the repository that is the source; default `.`, the root. */
  readonly path?: string
  /** How often a remote is asked; each pause is up to a tenth shorter or longer. */
  readonly intervalMs: number
  /** Where the bare mirror of a remote is, or will be made. */
  readonly mirrorDir: string
  /** For an http(s) remote. */
  readonly secret?: { readonly username?: string; readonly password?: string }
  readonly log: SourceLog
  /** 0 up to 1, for the jitter; default `Math.random`. */
  readonly random?: () => number
}

export interface GitSource extends Source {
  /** The repository in place, or the mirror: for status commits and notes. */
  readonly repository: GitRepository
  /** Null for a local repository. The URL holds the secret: it is for `fetch` and `push` only. */
  readonly remote: { readonly url: string } | null
  refresh(): Promise<void>
}

/** Empty directories do not exist in git, so a head with this tree means that everything was deleted. */
const EMPTY_TREES = new Set([
  '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
  '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321',
])

/**
 * Opens a git ref as a source. `head()` of a local repository reads the ref from disk each time; of a remote it tells what
 * the last poll found (the first `head()` polls), and `refresh()` polls at once. Throws SW_REPO_INVALID for a path that is no
 * repository, SW_GIT_BINARY_REQUIRED for what needs git; a remote that cannot be reached fails in `head()`.
 */
export async function openGitSource(config: GitSourceConfig): Promise<GitSource> {
  if (!isValidRefName(config.ref)) throw fail('SW_CONFIG_INVALID', `"${config.ref}" cannot be the name of a ref`)
  const path = normalizePath(config.path ?? '.')
  if (path === null) throw fail('SW_CONFIG_INVALID', `"${config.path}" leaves the repository`)
  const where = redactUrls(config.repo)
  const candidates = refCandidates(config.ref)
  const remoteUrl = isRemoteUrl(config.repo) ? withCredentials(config.repo, config.secret) : null
  const repository = await (remoteUrl === null ? openLocal(config) : openMirror(config, remoteUrl))
  const mirror = remoteUrl === null ? null : new RemoteMirror(repository, remoteUrl, candidates)
  const changes = new IgnoredChanges(repository)

  const commitOid = async (): Promise<string> => {
    const names = mirror === null ? (isOid(config.ref) ? [config.ref] : candidates) : [await mirror.tip()]
    for (const name of names) {
      const oid = await repository.resolve(name)
      if (oid !== null) return oid
    }
    await locateRepository(repository.gitDir)
    const refs = await repository.refs('refs/')
    const broken = names.find((name) => refs.has(name))
    if (broken !== undefined)
      throw incomplete(`${broken} of ${where} holds ${refs.get(broken)}, which is no commit there`)
    throw refMissing(
      where,
      candidates[0]!,
      [...refs.keys()].filter((name) => name.startsWith('refs/heads/')),
    )
  }

  return {
    name: config.name,
    repository,
    remote: remoteUrl === null ? null : { url: remoteUrl },
    async head(): Promise<Revision> {
      const commit = await repository.commit(await commitOid())
      const entry: TreeEntry | null = await repository.entry(commit.tree, path)
      if (entry?.mode !== TREE_MODE)
        throw fail('SW_REPO_INVALID', `commit ${commit.oid.slice(0, 12)} of ${where} has no directory "${path}"`, {
          remedy: 'correct the path of the source',
        })
      if (EMPTY_TREES.has(entry.oid))
        throw fail('SW_REPO_INVALID', `commit ${commit.oid.slice(0, 12)} of ${where} has no files`, {
          remedy: 'commit at least one file; to remove everything, suspend the source and delete its objects',
        })
      return { commit: commit.oid, tree: entry.oid, message: commit.message, author: commit.author }
    },
    changes: (from, to) => changes.between(from, to),
    read: (files, options) => readFiles(repository, files, options.maxBytes),
    async oidOf(tree, wanted) {
      const normal = normalizePath(wanted)
      return normal === null ? null : repository.entry(tree, normal)
    },
    async refresh() {
      await mirror?.poll()
    },
    async descends(from, to) {
      if (from === to || (await repository.commit(to)).parents.includes(from)) return true
      return (await repository.resolve(from)) !== null && (await repository.isAncestor(from, to))
    },
    async watch(onChange) {
      if (mirror !== null) return pollOnInterval(mirror, config, onChange)
      return watchRefs({
        layout: await locateRepository(repository.gitDir),
        refs: isOid(config.ref) ? [] : candidates,
        onChange,
        log: config.log,
      })
    },
    close: () => repository.close(),
  }
}

function openLocal(config: GitSourceConfig): Promise<GitRepository> {
  const path = /^file:/i.test(config.repo) ? fileURLToPath(config.repo) : config.repo
  return openRepository({ ...config, gitDir: path })
}

async function openMirror(config: GitSourceConfig, url: string): Promise<GitRepository> {
  if (!isHttpUrl(url) && (await chooseAdapter({ adapter: 'git', ...config })) !== 'git') {
    throw fail('SW_GIT_BINARY_REQUIRED', `${redactUrls(url)} can only be reached with the git binary`)
  }
  try {
    await stat(`${config.mirrorDir}/HEAD`)
  } catch (error) {
    if (!isMissing(error)) throw error
    await initBareRepository(config.mirrorDir)
  }
  return openRepository({ ...config, gitDir: config.mirrorDir })
}

/** `./a/b/` → `a/b`; null for a path that leaves the tree. */
function normalizePath(path: string): string | null {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  return parts.includes('..') ? null : parts.join('/')
}

/** Only plain files have bytes: a symbolic link or a submodule comes with none and size 0. */
async function* readFiles(
  repository: GitRepository,
  files: readonly SourceFile[],
  maxBytes: number,
): AsyncGenerator<{ file: SourceFile; size: number; bytes: Uint8Array | null }> {
  const plain = files.filter((file) => file.mode.startsWith('100'))
  const blobs = repository
    .readBlobs(
      plain.map((file) => file.oid),
      { maxBytes },
    )
    [Symbol.asyncIterator]()
  for (const file of files) {
    if (!file.mode.startsWith('100')) {
      yield { file, size: 0, bytes: null }
      continue
    }
    const { value: blob, done } = await blobs.next()
    if (done) throw fail('SW_INTERNAL', `no content came for ${file.path}`)
    yield { file, size: blob.size, bytes: blob.bytes }
  }
}

function pollOnInterval(
  mirror: RemoteMirror,
  config: GitSourceConfig,
  onChange: () => void,
): { close(): Promise<void> } {
  const random = config.random ?? Math.random
  let closed = false
  let running: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let last = mirror.fingerprint
  const check = async () => {
    await mirror.poll()
    if (closed) return
    const found = mirror.fingerprint
    if (found !== last) onChange()
    last = found
    pause()
  }
  const pause = () => {
    timer = setTimeout(() => (running = check()), config.intervalMs * (0.9 + 0.2 * random()))
  }
  pause()
  return {
    async close() {
      closed = true
      clearTimeout(timer)
      await running
    },
  }
}
