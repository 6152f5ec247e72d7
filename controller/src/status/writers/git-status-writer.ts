import { hash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { StatusRemote, StatusRepository } from '../ports.ts'
import { isStatusPath } from '../render-object.ts'

export const STATUS_REF = 'refs/heads/stateward/status'
export const NOTES_REF = 'refs/notes/stateward'

const WHO = { name: 'Stateward', email: 'controller@stateward.dev' }
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]
const COMPLAIN_AFTER = 5
/** Files of one commit; more than these only come when everything is new. */
const MAX_FILES = 2_000
/** How long making texts may keep everything else from running. */
const LONGEST_TURN_MS = 4
const NONE: ReadonlySet<string> = new Set()
/** A tip younger than this, written by somebody else, means that two controllers serve one environment. */
const OTHER_CONTROLLER_MS = 120_000

/** A file's text, or how to make it: the same `version` means the same text, so what did not change is not made again. */
export type StatusText = string | { readonly version: object; readonly text: () => string }

/** What keeps status from being published. */
export interface Problem {
  readonly reason: 'StatusPublishFailed' | 'AnotherController'
  readonly message: string
}

export interface GitStatusWriterOptions {
  readonly repository: StatusRepository
  readonly remote: StatusRemote | null
  readonly clock: Clock
  /** Stable for this installation: tells our commits from another controller's. */
  readonly controllerId: string
  readonly environment: string
  /** Environments it serves: only their folders lose files that nothing has a status for. Empty (the default) = all. */
  readonly environments?: readonly string[]
  /** Status files of everything with their paths: what the branch has to hold. */
  readonly snapshot: () => Iterable<readonly [path: string, text: StatusText]>
  /** Note by commit, for applied heads not noted yet; forgotten once {@link noted} was called. */
  readonly notes: () => ReadonlyMap<string, string>
  readonly noted: (commits: readonly string[]) => void
  readonly position: () => Promise<{ readonly seq: number; readonly hash: string }>
  readonly revision: () => string | null
  readonly intervalMs: number
  readonly changed: () => void
  readonly log: { warn(fields: object, message: string): void }
}

/**
 * Publishes status as commits: at most one every interval, the latest state of every object wins, equal content makes no
 * commit. Never forced: it always commits onto the tip it finds, so what others wrote stays: their
 * commits, and files outside of the environments it serves. Notes go to their own ref.
 */
export class GitStatusWriter {
  readonly #options: GitStatusWriterOptions
  /** Blob oids of the tip's tree by path. */
  #tip: { readonly commit: string | null; readonly files: Map<string, string> } | null = null
  /** Blob oids of texts that were made once, by version. */
  readonly #oids = new WeakMap<object, string>()
  #dirty = false
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  #lastMs = Number.NEGATIVE_INFINITY
  #failures = 0
  #problem: Problem | null = null
  #closed = false
  /** Something is committed here that the remote may not have; not known at the start. */
  #unpushed = true

  constructor(options: GitStatusWriterOptions) {
    this.#options = options
  }

  get problem() {
    return this.#problem
  }

  /** Something may have changed; it is published within the interval. */
  touch(): void {
    this.#dirty = true
    if (this.#timer !== null || this.#running !== null || this.#closed) return
    const since = this.#options.clock.monotonicMs() - this.#lastMs
    this.#schedule(Math.max(0, this.#options.intervalMs - since))
  }

  /** Publishes what is left, once, and stops. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    await this.#running
    if (this.#dirty) await this.#run()
  }

  /** Publishes now; resolves when it is done or has failed. */
  async flush(): Promise<void> {
    this.#dirty = true
    await this.#run()
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null
      void this.#run()
    }, delayMs)
    this.#timer.unref()
  }

  /** One after the other: two at once would race for the ref. */
  async #run(): Promise<void> {
    const before = this.#running ?? Promise.resolve()
    const running = before.then(() => this.#flush())
    this.#running = running
    await running
    if (this.#running !== running) return
    this.#running = null
    if (this.#closed || this.#timer !== null) return
    if (this.#failures > 0) this.#schedule(RETRY_MS[Math.min(this.#failures, RETRY_MS.length) - 1]!)
    else if (this.#dirty) this.touch()
  }

  async #flush(): Promise<void> {
    this.#dirty = false
    this.#lastMs = this.#options.clock.monotonicMs()
    try {
      // Before the first commit: what this installation, or another, published before.
      if (this.#tip === null && this.#options.remote !== null) await this.#options.remote.fetch([STATUS_REF, NOTES_REF])
      if (await this.#otherController()) return
      const notes = await this.#writeNotes()
      const wrote = await this.#writeStatus()
      if (wrote || notes.wrote) this.#unpushed = true
      await this.#push()
      const latest = this.#options.notes()
      this.#options.noted([...notes.settled].flatMap(([commit, text]) => (latest.get(commit) === text ? [commit] : [])))
      this.#failures = 0
      this.#setProblem(null)
    } catch (error) {
      this.#failed(error)
    }
  }

  async #push(): Promise<void> {
    const { remote, repository } = this.#options
    if (remote === null || !this.#unpushed) return
    const refs: string[] = []
    for (const ref of [STATUS_REF, NOTES_REF]) if ((await repository.resolve(ref)) !== null) refs.push(ref)
    if (refs.length > 0) await remote.push(refs)
    this.#unpushed = false
  }

  #failed(error: unknown): void {
    this.#dirty = true
    this.#tip = null
    this.#failures++
    const { log } = this.#options
    log.warn({ err: error, failures: this.#failures }, 'status could not be published; it will be tried again')
    if (this.#failures >= COMPLAIN_AFTER)
      this.#setProblem({ reason: 'StatusPublishFailed', message: errorMessage(error) })
  }

  async #otherController(): Promise<boolean> {
    const { repository, controllerId, environment, clock } = this.#options
    const tip = await repository.resolve(STATUS_REF)
    if (tip === null || tip === this.#tip?.commit) return false
    const { message, committer } = await repository.commit(tip)
    const other = /^Stateward-Controller: (.+)$/m.exec(message)?.[1]
    const env = /^Stateward-Env: (.+)$/m.exec(message)?.[1]
    if (other === undefined || other === controllerId || env !== environment) return false
    if (clock.now().getTime() - Date.parse(committer.time) > OTHER_CONTROLLER_MS) return false
    this.#setProblem({
      reason: 'AnotherController',
      message: `controller ${other} wrote the status of ${environment} at ${committer.time}`,
    })
    this.#dirty = true
    this.#failures = Math.max(1, this.#failures)
    return true
  }

  /** True when something had to be written. Everything at once only as far as it is a bounded part. */
  async #writeStatus(): Promise<boolean> {
    const { repository, clock } = this.#options
    for (let wrote = false; ; wrote = true) {
      const tip = await this.#loadTip()
      const changed = await this.#changed(tip.files)
      if (changed.size === 0) return wrote
      const files = new Map([...changed].map(([path, file]) => [path, file?.text ?? null]))
      const commit = await repository.writeCommit({
        ref: STATUS_REF,
        parent: tip.commit,
        files,
        // None is: what mode a file had need not be looked up.
        executable: NONE,
        message: await this.#message(files),
        author: WHO,
        committer: WHO,
        time: clock.now(),
      })
      for (const [path, file] of changed) {
        if (file === null) tip.files.delete(path)
        else tip.files.set(path, file.oid)
      }
      this.#tip = { commit, files: tip.files }
      if (changed.size < MAX_FILES) return true
    }
  }

  /** At most {@link MAX_FILES} of the files that differ from those that are there; null = it has to go. */
  async #changed(there: ReadonlyMap<string, string>): Promise<Map<string, { text: string; oid: string } | null>> {
    const { clock, snapshot } = this.#options
    const changed = new Map<string, { text: string; oid: string } | null>()
    const gone = new Set(there.keys())
    let sinceMs = clock.monotonicMs()
    for (const [path, status] of snapshot()) {
      gone.delete(path)
      const known = typeof status === 'string' ? undefined : this.#oids.get(status.version)
      if (known !== undefined && there.get(path) === known) continue
      const text = typeof status === 'string' ? status : status.text()
      const oid = known ?? blobOid(text)
      if (typeof status !== 'string') this.#oids.set(status.version, oid)
      if (there.get(path) !== oid) changed.set(path, { text, oid })
      if (changed.size === MAX_FILES) return changed
      if (clock.monotonicMs() - sinceMs < LONGEST_TURN_MS) continue
      // The first time everything is made: whatever else this process does goes on in between.
      await setImmediate()
      sinceMs = clock.monotonicMs()
    }
    for (const path of gone) if (this.#owns(path)) changed.set(path, null)
    return changed
  }

  /** Whether a file of the branch is ours to remove. */
  #owns(path: string): boolean {
    const served = this.#options.environments ?? []
    return isStatusPath(path) && (served.length === 0 || served.includes(path.slice(0, path.indexOf('/'))))
  }

  async #loadTip() {
    const { repository } = this.#options
    const commit = await repository.resolve(STATUS_REF)
    if (this.#tip !== null && this.#tip.commit === commit) return this.#tip
    const files = new Map<string, string>()
    if (commit !== null) {
      const { tree } = await repository.commit(commit)
      for (const { path, to } of await repository.diff(null, tree)) if (to !== null) files.set(path, to.oid)
    }
    this.#tip = { commit, files }
    return this.#tip
  }

  async #message(files: ReadonlyMap<string, string | null>): Promise<string> {
    const { position, revision, environment, controllerId } = this.#options
    const { seq, hash: chain } = await position()
    const names = [...files]
      .slice(0, 20)
      .map(([path, text]) => `${text === null ? 'gone' : 'status'} ${path.replace(/\.yaml$/, '')}`)
    const more = files.size > names.length ? [`… and ${files.size - names.length} more`] : []
    const trailers = [
      `Stateward-Env: ${environment}`,
      `Stateward-Revision: ${revision() ?? 'none'}`,
      `Stateward-Log: ${seq} ${chain}`,
      `Stateward-Controller: ${controllerId}`,
    ]
    return `status: ${files.size} ${files.size === 1 ? 'object' : 'objects'} at ${revision()?.slice(0, 12) ?? 'none'}\n\n${[...names, ...more].join('\n')}\n\n${trailers.join('\n')}\n`
  }

  /** `settled` are noted now; `wrote` tells whether that took a commit. */
  async #writeNotes(): Promise<{ readonly settled: ReadonlyMap<string, string>; readonly wrote: boolean }> {
    const { repository, clock } = this.#options
    const settled = new Map(this.#options.notes())
    if (settled.size === 0) return { settled, wrote: false }
    const parent = await repository.resolve(NOTES_REF)
    const tree = parent === null ? null : (await repository.commit(parent)).tree
    const files = new Map<string, string>()
    for (const [commit, text] of settled) {
      const there = tree === null ? null : await repository.entry(tree, commit)
      if (there?.oid !== blobOid(text)) files.set(commit, text)
    }
    if (files.size === 0) return { settled, wrote: false }
    const named = [...files.keys()].slice(0, 20).map((commit) => commit.slice(0, 12))
    const more = files.size > named.length ? ` and ${files.size - named.length} more` : ''
    const message = `notes: what became of ${named.join(', ')}${more}\n`
    await repository.writeCommit({
      ref: NOTES_REF,
      parent,
      files,
      message,
      author: WHO,
      committer: WHO,
      time: clock.now(),
    })
    return { settled, wrote: true }
  }

  #setProblem(problem: Problem | null): void {
    const before = this.#problem
    this.#problem = problem
    if (before?.message !== problem?.message) this.#options.changed()
  }
}

/** The name git gives these bytes (in a sha1 repository; in another every file counts as changed once a start). */
function blobOid(text: string): string {
  return hash('sha1', Buffer.concat([Buffer.from(`blob ${Buffer.byteLength(text)}\0`), Buffer.from(text)]), 'hex')
}
