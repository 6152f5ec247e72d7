import { keyOf, type ObjectKey } from '../../kinds/resource.ts'
import { SCHEMA_VERSION } from '../../kinds/validate.ts'
import { errorMessage } from '../../lib/errors.ts'
import { newCorrelationId } from '../../lib/ids.ts'
import type { Issue } from '../../lib/issue.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { ParseOptions } from '../../parse/parse-file.ts'
import type { ParsedFile } from '../../parse/parsed-file.ts'
import type { DeletionLimit } from '../../plan/blast-radius.ts'
import type { Change } from '../../plan/change-set.ts'
import type { DesiredState } from '../../plan/desired-state.ts'
import { type Plan, plan } from '../../plan/plan.ts'
import { affectedBy } from '../../plan/scope.ts'
import type { Revision, Source } from '../../source/ports.ts'
import type { Log } from '../../store/ports.ts'
import {
  approvedDeletions,
  loadSourceFiles,
  loadSourceHead,
  readSyncs,
  recentDeletions,
  type SyncRow,
} from '../../store/queries/sources.ts'
import type { Store } from '../../store/store.ts'
import { World } from '../world.ts'
import { type Accepted, accept } from './accept.ts'
import { FileOids } from './file-oids.ts'
import { loadDesired } from './load-desired.ts'
import { locateIssues, type PointerInFile } from './locate-issues.ts'
import { parseFiles } from './parse-files.ts'

export interface SourceSyncOptions {
  readonly store: Store
  readonly world: World
  readonly source: Source
  readonly parse: ParseOptions
  readonly pointerInFile: PointerInFile
  readonly deletionLimit: DeletionLimit
  /** Declarations the controller makes itself where the repo has none (its own Source, this host). */
  readonly builtin: (declared: (key: ObjectKey) => boolean) => ParsedFile
  readonly builtinToolSchema: (name: string) => JsonObject | null
  /** `observe` plans and applies nothing; `suspended` does not even read. */
  readonly mode: () => 'enforce' | 'observe' | 'suspended'
  readonly log: Log
}

/** What is known of a source besides its history: the last thing that went wrong, if anything. */
export interface SourceState {
  readonly head: Revision | null
  /** What was last made of it; null before the first time. */
  readonly sync: SyncRow | null
  readonly failure: { readonly message: string; readonly remedy: string; readonly code: string } | null
  /** Issues by object, with positions. */
  readonly issuesOf: ReadonlyMap<ObjectKey, readonly Issue[]>
  readonly plan: Plan | null
}

/** Objects deleted within this time count together against the limit, so that splitting a deletion does not help. */
const DELETION_WINDOW_MS = 24 * 3_600_000

/**
 * Brings one source's head into the accepted state: read what changed, parse it, plan, accept. One pass at a time. A read
 * error leaves everything as it was (the last good snapshot) and shows in {@link state}.
 */
export class SourceSync {
  readonly #options: SourceSyncOptions
  readonly #files: FileOids
  #desired: DesiredState | null = null
  #tree: string | null = null
  #appliedCommit: string | null = null
  #state: SourceState = { head: null, sync: null, failure: null, issuesOf: new Map(), plan: null }
  #mode: 'enforce' | 'observe' = 'enforce'

  constructor(options: SourceSyncOptions) {
    this.#options = options
    this.#files = new FileOids(options.source)
  }

  get state(): SourceState {
    return this.#state
  }

  /** Files and objects of the last read tree; null before the first read. */
  get desired(): DesiredState | null {
    return this.#desired
  }

  /**
   * One pass. `replan` looks again at these objects even when the head did not move (a prune was confirmed, a deletion
   * was approved). Answers null when there was nothing to do; rejects only when the store fails.
   */
  async pass(trigger: {
    readonly actor: string
    readonly replan?: Iterable<ObjectKey>
    readonly full?: boolean
  }): Promise<Accepted | null> {
    const mode = this.#options.mode()
    if (mode === 'suspended') return null
    const startedMs = this.#options.store.clock.monotonicMs()
    let step: Step
    try {
      step = await this.#read(mode, trigger)
    } catch (error) {
      this.#failed(error)
      return null
    }
    this.#state = { ...this.#state, failure: null, head: step.revision }
    if (step.scope !== null && step.scope.size === 0 && this.#appliedCommit === step.revision.commit) return null
    try {
      return await this.#decide(step, mode, startedMs, trigger.actor)
    } catch (error) {
      // What was read is not accepted: the next pass starts over from the database.
      this.#desired = null
      throw error
    }
  }

  async #read(
    mode: 'enforce' | 'observe',
    trigger: { readonly replan?: Iterable<ObjectKey>; readonly full?: boolean },
  ): Promise<Step> {
    const { source, world } = this.#options
    const revision = await source.head()
    const modeChanged = mode !== this.#mode
    this.#mode = mode
    if (this.#desired === null || this.#tree === null) return await this.#start(revision)
    const touched = new Set<ObjectKey>([...(trigger.replan ?? []), ...(this.#state.plan?.pending ?? [])])
    const paths: string[] = []
    if (revision.tree !== this.#tree) {
      const changes = await source.changes(this.#tree, revision.tree)
      const parsed = new Map<string, ParsedFile>()
      const present = changes.flatMap((change) => (change.to === null ? [] : [change.to]))
      for await (const file of parseFiles(source, present, this.#options.parse)) parsed.set(file.path, file)
      // Nothing is changed in memory before everything was read; what fails after this starts over from the database.
      const desired = this.#desired
      this.#desired = null
      for (const { path } of changes) {
        paths.push(path)
        const file = parsed.get(path)
        for (const key of file === undefined ? desired.remove(path) : desired.put(file)) touched.add(key)
      }
      for (const key of this.#putBuiltin(desired)) touched.add(key)
      this.#tree = revision.tree
      await this.#files.load(desired, revision.tree)
      this.#desired = desired
    }
    const everything = trigger.full === true || modeChanged
    const nothing = !everything && paths.length === 0 && (trigger.replan === undefined || touched.size === 0)
    const scope = everything
      ? null
      : nothing
        ? new Set<ObjectKey>()
        : affectedBy(touched, paths, this.#desired, world.objects)
    return { revision, desired: this.#desired, scope, paths }
  }

  async #start(revision: Revision): Promise<Step> {
    const { source, store, world } = this.#options
    const head = await loadSourceHead(store.reader, source.name)
    const sameSchema = head?.schema_version === SCHEMA_VERSION
    const known = await loadSourceFiles(store.reader, source.name)
    const memory = sameSchema ? world : EMPTY_WORLD
    const desired = await loadDesired(source, revision.tree, memory, sameSchema ? known : [], this.#options.parse)
    this.#putBuiltin(desired)
    await this.#files.load(desired, revision.tree)
    this.#desired = desired
    this.#tree = revision.tree
    this.#appliedCommit = head?.applied_revision ?? null
    return {
      revision,
      desired,
      scope: null,
      paths: [...new Set([...desired.paths(), ...known.map((row) => row.path)])],
    }
  }

  #putBuiltin(desired: DesiredState): Set<ObjectKey> {
    const touched = desired.remove(BUILTIN_PATH)
    const file = this.#options.builtin((key) => desired.all(key).length > 0)
    for (const key of desired.put({ ...file, path: BUILTIN_PATH })) touched.add(key)
    return touched
  }

  async #decide(step: Step, mode: 'enforce' | 'observe', startedMs: number, actor: string): Promise<Accepted | null> {
    const { store, world, source } = this.#options
    const made = await this.#plan(step)
    const issues = await locateIssues(
      made.issues,
      source,
      (path) => step.desired.file(path),
      this.#options.pointerInFile,
      this.#options.parse.limits.maxFileBytes,
    )
    const still = made.changes.every(isWaiting)
    this.#state = { ...this.#state, plan: made, issuesOf: issuesByObject(issues, made.changes) }
    // Doing nothing writes nothing: no row, no event.
    const idle = still && made.moved.length === 0 && this.#appliedCommit === step.revision.commit
    if (idle && (this.#state.sync !== null || (await this.#sameAsRecorded(made)))) return null
    const accepted = await accept(store, world, {
      source: source.name,
      revision: step.revision,
      plan: made,
      issues,
      desired: step.desired,
      paths: step.paths,
      observe: mode === 'observe',
      startedMs,
      actor,
      correlationId: newCorrelationId(),
    })
    if (mode === 'enforce') this.#appliedCommit = step.revision.commit
    this.#state = { ...this.#state, sync: accepted.sync }
    return accepted
  }

  async #plan(step: Step): Promise<Plan> {
    const { store, world, deletionLimit, builtinToolSchema } = this.#options
    const input = {
      desired: step.desired,
      actual: world.objects,
      scope: step.scope,
      fromRevision: this.#appliedCommit,
      toRevision: step.revision.commit,
      fileOid: (path: string) => this.#files.get(path),
      builtinToolSchema,
      deletionLimit,
    }
    const first = plan({ ...input, deletions: { recent: new Map(), approved: new Set() } })
    if (first.counts.delete === 0 && first.blockedDeletions === null) return first
    const since = new Date(store.clock.now().getTime() - DELETION_WINDOW_MS)
    const approved = await approvedDeletions(store.reader)
    const allowed = /^Stateward-Allow-Deletions: ([0-9]+)$/m.exec(step.revision.message)
    if (allowed !== null) approved.add(`count:${allowed[1]}`)
    return plan({ ...input, deletions: { recent: await recentDeletions(store.reader, since), approved } })
  }

  /** After a restart: the history already ends with this revision, and what waits is what waited then. */
  async #sameAsRecorded(made: Plan): Promise<boolean> {
    const [last] = await readSyncs(this.#options.store.reader, this.#options.source.name, 1)
    if (last === undefined || last.to_revision !== this.#appliedCommit || !sameWaiting(last, made)) return false
    this.#state = { ...this.#state, sync: last }
    return true
  }

  #failed(error: unknown): void {
    const known = error as { ref?: string; remedy?: string }
    const failure = {
      message: errorMessage(error),
      remedy: known.remedy ?? 'see the log',
      code: known.ref ?? 'SW_INTERNAL',
    }
    if (this.#state.failure?.message !== failure.message) {
      this.#options.log.warn(
        {
          kind: 'Source',
          name: this.#options.source.name,
          code: failure.code,
          error: failure.message,
          remedy: failure.remedy,
        },
        'source could not be read; the last good revision stays in force',
      )
    }
    this.#state = { ...this.#state, failure }
  }
}

interface Step {
  readonly revision: Revision
  readonly desired: DesiredState
  readonly scope: ReadonlySet<ObjectKey> | null
  readonly paths: readonly string[]
}

/** A row keeps only the first changes of a large revision, but the counts of all. */
function sameWaiting(recorded: SyncRow, made: Plan): boolean {
  const lines = new Set(made.changes.map(waitingLine))
  return (
    recorded.counts.blocked === made.counts.blocked &&
    recorded.counts.skip === made.counts.skip &&
    recorded.changes.every((change) => !isWaiting(change) || lines.has(waitingLine(change)))
  )
}

function isWaiting({ action }: Change): boolean {
  return action === 'blocked' || action === 'skip'
}

function waitingLine(change: Change): string {
  return [change.action, keyOf(change), change.reason, change.toDigest].join(' ')
}

/** The name that stands for a file in what the controller declares itself. */
export const BUILTIN_PATH = '(built-in)'

const EMPTY_WORLD = new World()

/** An object that is blocked because its whole file cannot be read has the issues of the file. */
function issuesByObject(issues: readonly Issue[], changes: readonly Change[]): Map<ObjectKey, readonly Issue[]> {
  const map = new Map<ObjectKey, readonly Issue[]>()
  for (const issue of issues) {
    if (issue.object === undefined) continue
    map.set(issue.object, [...(map.get(issue.object) ?? []), issue])
  }
  for (const change of changes) {
    const key = keyOf(change)
    if (change.action !== 'blocked' || change.reason !== 'ValidationFailed' || map.has(key)) continue
    map.set(
      key,
      issues.filter(({ file }) => file !== undefined && file === change.file),
    )
  }
  return map
}
