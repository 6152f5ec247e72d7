import type { Readable } from 'node:stream'

/**
 * Reading and writing a git repository, as far as Stateward needs it. Two adapters fill it (the `git` binary, and
 * isomorphic-git where there is none) and pass one contract suite. Every failure throws a StatewardError:
 * an error is never an empty answer.
 */
export interface GitRepository extends GitMerging {
  readonly adapter: 'git' | 'isomorphic-git'
  /** The git directory on disk (bare repo, or `.git`). */
  readonly gitDir: string
  /** The commit a ref or revision names (`main`, `refs/heads/main`, an oid or a unique prefix of 7 or more); null when there is none. */
  resolve(revision: string): Promise<string | null>
  commit(oid: string): Promise<Commit>
  /** Refs whose full name begins with `prefix` (`refs/heads/`), with the oid each holds (an annotated tag's own). */
  refs(prefix: string): Promise<ReadonlyMap<string, string>>
  /**
   * What differs between two trees below `path` ('' = the root), files only, sorted by path (bytes), paths counted from the root.
   * `from` null = everything is added. Submodules and symbolic links are reported with their mode and never followed.
   */
  diff(fromTree: string | null, toTree: string, path?: string): Promise<readonly TreeChange[]>
  /** The oid of the tree or blob at a path of a tree; null when there is none. */
  entry(tree: string, path: string): Promise<TreeEntry | null>
  /** Blobs in the order asked. A blob over `maxBytes` comes with `bytes: null` and its size. */
  readBlobs(oids: readonly string[], options: { readonly maxBytes: number }): AsyncIterable<Blob>
  /** Commits reachable from `to` and not from `from` (null = all), newest first, at most `limit`. */
  log(from: string | null, to: string, limit: number): Promise<readonly Commit[]>
  mergeBase(a: string, b: string): Promise<string | null>
  isAncestor(ancestor: string, descendant: string): Promise<boolean>
  /** Writes one commit without a work tree and moves `ref` to it, only if the ref still is at `parent` (null = must not exist); returns its oid. */
  writeCommit(request: WriteCommit): Promise<string>
  /** The blob at `path` of the commit a ref names; null when the ref, or the path in it, is missing. */
  readFile(ref: string, path: string, options: { readonly maxBytes: number }): Promise<Uint8Array | null>
  /**
   * The refs of a remote that match `patterns` (full names), with their oids: one cheap round trip. Throws SW_SOURCE_UNREACHABLE.
   * http(s) credentials of any remote travel in its URL and appear neither on a command line nor in a message.
   */
  listRemote(remote: {
    readonly url: string
    readonly patterns: readonly string[]
    readonly timeoutMs: number
  }): Promise<ReadonlyMap<string, string>>
  /**
   * Fetches refs of a remote into this repository; a local ref that a `*` refspec no longer finds there is removed.
   * Throws SW_REF_MISSING when the remote has no such ref, SW_CONFLICT when a refspec without `+` would rewrite history,
   * SW_SOURCE_UNREACHABLE.
   */
  fetch(remote: {
    readonly url: string
    readonly refspecs: readonly string[]
    readonly timeoutMs: number
  }): Promise<void>
  /** Pushes refs, all or none, never forced; throws SW_CONFLICT when the remote moved on. */
  push(remote: {
    readonly url: string
    readonly refspecs: readonly string[]
    readonly timeoutMs: number
  }): Promise<void>
  /** Serves it to other gits; null without the git binary. */
  readonly service: GitService | null
  /**
   * Checks the SSH signature of a commit against the text of an `allowed_signers` file. SW_GIT_BINARY_REQUIRED without git and
   * ssh-keygen.
   */
  signatureOf(commit: string, allowedSigners: string): Promise<CommitSignature>
  /** Ends long-lived children. */
  close(): Promise<void>
}

/** The server's side of git over HTTP. `protocol` is the header `Git-Protocol`. */
export interface GitService {
  /** The refs, for the first request of a fetch or a push. */
  advertise(service: 'git-upload-pack' | 'git-receive-pack', options: { readonly protocol: string | null }): Readable
  uploadPack(input: Readable, options: { readonly protocol: string | null }): Readable
  /** Resolves with the whole answer when everything is done; what is over `maxBytes` is refused. */
  receivePack(
    input: Readable,
    options: {
      readonly protocol: string | null
      readonly maxBytes: number
      /** A folder of its own for scripts that git runs. */
      readonly hooksFolder: string
      readonly checks: PushChecks
    },
  ): Promise<Buffer>
}

/** One ref that a push moves; null = it is not there before, or afterwards. */
export interface PushCommand {
  readonly ref: string
  readonly from: string | null
  readonly to: string | null
}

/** What a push brings, before anything of it is accepted. */
export interface PushedObjects {
  /** Every new version of every file; `bytes` null = larger than `maxBytes`. */
  files(options: {
    readonly maxBytes: number
  }): AsyncIterable<{ readonly path: string; readonly size: number; readonly bytes: Uint8Array | null }>
  /** Commits that were not there, at most `limit`. */
  commits(limit: number): Promise<readonly Commit[]>
}

/** Asked while a push is received. Lines are shown to whoever pushes. */
export interface PushChecks {
  /** Before any ref moves: false refuses all of it. */
  before(
    commands: readonly PushCommand[],
    objects: PushedObjects,
  ): Promise<{ readonly ok: boolean; readonly lines: readonly string[] }>
  /** The refs stand where they were pushed to. */
  after(commands: readonly PushCommand[]): Promise<readonly string[]>
  /** Always called last, however it ended. */
  ended(): Promise<void>
}

/** What only the git binary does: without it each of these answers SW_GIT_BINARY_REQUIRED. */
export interface GitMerging {
  /** The tree that merging two commits comes to; with conflicts it holds both sides, and must not be committed. */
  mergeTrees(ours: string, theirs: string): Promise<MergedTrees>
  /** Writes a commit of a tree that is there; no ref moves. */
  commitTree(request: CommitTree): Promise<string>
  /** Makes, moves or deletes a ref, only if it still holds `expected`; throws SW_CONFLICT when it does not. */
  moveRef(request: MoveRef): Promise<void>
  /** Takes a ref of a remote away, only if it still holds `expected`. Throws SW_CONFLICT when it does not, SW_SOURCE_UNREACHABLE. */
  deleteRemoteRef(request: {
    readonly url: string
    readonly ref: string
    readonly expected: string
    readonly timeoutMs: number
  }): Promise<void>
  /** What differs between two commits or trees, as a unified diff of at most `maxBytes`. */
  patch(from: string, to: string, options: { readonly maxBytes: number }): Promise<Patch>
}

export interface MergedTrees {
  readonly tree: string
  /** Paths both sides changed in different ways; none = it can be merged. */
  readonly conflicts: readonly string[]
}

export interface CommitTree {
  readonly tree: string
  readonly parents: readonly string[]
  readonly message: string
  readonly author: { readonly name: string; readonly email: string }
  readonly committer: { readonly name: string; readonly email: string }
  readonly time: Date
  /** A private SSH key that signs it. */
  readonly signWith?: string
}

export interface MoveRef {
  /** Full name. */
  readonly ref: string
  /** null deletes. */
  readonly to: string | null
  /** null = it must not exist. */
  readonly expected: string | null
}

export interface Patch {
  readonly text: string
  readonly truncated: boolean
}

/** `good`: of somebody who is allowed. `unknown`: by a key that nobody has, or of a kind that is not read. */
export interface CommitSignature {
  readonly state: 'good' | 'none' | 'bad' | 'unknown'
  /** The principal of the line of `allowed_signers`; null unless it is good. */
  readonly signer: string | null
  /** Fingerprint of the key. */
  readonly key: string | null
}

export interface Commit {
  readonly oid: string
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: Person
  readonly committer: Person
  readonly message: string
}

export interface Person {
  readonly name: string
  readonly email: string
  /** UTC, ISO 8601. */
  readonly time: string
}

export interface TreeEntry {
  readonly oid: string
  /** `100644`, `100755`, `120000` (symbolic link), `160000` (submodule), `040000` (tree). */
  readonly mode: string
}

export interface TreeChange {
  readonly path: string
  /** null = added. */
  readonly from: TreeEntry | null
  /** null = deleted. */
  readonly to: TreeEntry | null
}

export interface Blob {
  readonly oid: string
  readonly size: number
  /** null when it is over the limit asked for. */
  readonly bytes: Uint8Array | null
}

export interface WriteCommit {
  readonly ref: string
  readonly parent: string | null
  /** What the ref must hold when that is not `parent`: null starts a new branch on top of `parent`. */
  readonly expected?: string | null
  /** Path → content; null deletes. Everything else is kept from `base` (default: the parent's tree). */
  readonly files: ReadonlyMap<string, Uint8Array | string | null>
  /** The commit whose tree is changed when it is not the parent (null = start from an empty tree). */
  readonly base?: string | null
  /** Paths of `files` that are executable, the others are not. Default: each keeps the bit it had. */
  readonly executable?: ReadonlySet<string>
  /** A private SSH key that signs it; needs the git binary. */
  readonly signWith?: string
  readonly message: string
  readonly author: { readonly name: string; readonly email: string }
  readonly committer: { readonly name: string; readonly email: string }
  readonly time: Date
}

/** The state of a source at one moment; `tree` is the tree of `path` inside the commit. */
export interface Revision {
  /** The commit's oid, `dir@<sha256>` for a directory, `cluster@<digest>` for custom resources, or `<commit>+cluster@<digest>` for both. */
  readonly commit: string
  readonly tree: string
  readonly message: string
  readonly author: Person
}

/** One file as a source sees it. `oid` names its content: equal oid, equal bytes. */
export interface SourceFile {
  readonly path: string
  readonly oid: string
  readonly mode: string
}

/** Who an object is where its source says so itself. */
export interface ObjectIdentity {
  readonly uid: string
  /** Moves with its spec. */
  readonly generation: number
}

/** Where desired state comes from: a git ref, a directory, the custom resources of a cluster. */
export interface Source {
  readonly name: string
  /** The head; throws SW_REF_MISSING, SW_REPO_INVALID, SW_SOURCE_UNREACHABLE … and never returns an empty state for a failure. */
  head(): Promise<Revision>
  /** Files that differ from `from` (a tree a former `head` returned; null = all of them), ignored ones left out. */
  changes(from: string | null, to: string): Promise<readonly { path: string; to: SourceFile | null }[]>
  read(
    files: readonly SourceFile[],
    options: { readonly maxBytes: number },
  ): AsyncIterable<{ file: SourceFile; size: number; bytes: Uint8Array | null }>
  /** The oid of a file or directory (`systemPromptFrom.path`, `workdir`) at a tree; null = missing. */
  oidOf(tree: string, path: string): Promise<TreeEntry | null>
  /**
   * Asks the origin now instead of at the next interval; `head()` then tells what it found. Only a source with a remote needs it:
   * a local one always answers from the disk. Never throws for an origin that is gone: `head()` does.
   */
  refresh?(): Promise<void>
  /** Whether commit `to` goes on from commit `from`; false when history was rewritten, or `from` is not there. Absent without history. */
  descends?(from: string, to: string): Promise<boolean>
  /** Of a file that is one object whose source names it itself; null for any other, or when it is not there any more. */
  identityOf?(file: Pick<SourceFile, 'path' | 'oid'>): ObjectIdentity | null
  /** Calls back soon after the head may have moved (a hint: level-triggered readers call `head()`). */
  watch(onChange: () => void): Promise<{ close(): Promise<void> }>
  close(): Promise<void>
}
