import { keyOf, type ObjectKey } from '../../kinds/resource.ts'
import { SCHEMA_VERSION } from '../../kinds/validate.ts'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import { newCorrelationId } from '../../lib/ids.ts'
import type { Issue } from '../../lib/issue.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { ParseOptions } from '../../parse/parse-file.ts'
import type { ParsedFile } from '../../parse/parsed-file.ts'
import type { DeletionLimit } from '../../plan/blast-radius.ts'
import type { DesiredState } from '../../plan/desired-state.ts'
import type { Risk } from '../../plan/effects/effect.ts'
import type { Plan } from '../../plan/planned.ts'
import { affectedBy } from '../../plan/scope.ts'
import type { Revision, Source } from '../../source/ports.ts'
import type { Log } from '../../store/ports.ts'
import { loadSourceFiles, loadSourceHead, readSyncs, type SyncRow } from '../../store/queries/sources.ts'
import type { Store } from '../../store/store.ts'
import { World } from '../world.ts'
import { type Accepted, accept } from './accept.ts'
import { BUILTIN_PATH } from './builtin-path.ts'
import type { ChangeGovernor } from './change-governor.ts'
import { FileOids } from './file-oids.ts'
import { heldIn, heldIssues } from './held-changes.ts'
import { issuesByObject } from './issues-by-object.ts'
import { loadDesired } from './load-desired.ts'
import { locateIssues, type PointerInFile } from './locate-issues.ts'
import { parseFiles } from './parse-files.ts'
import { planReading, type Reading } from './plan-reading.ts'
import { refuse } from './refuse.ts'
import { isRemarkable } from './source-file-rows.ts'
import { isWaiting, sameObserved, sameWaiting, type WaitingPlan, waitingOf } from './waiting-plan.ts'

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
  readonly builtinToolRisk: (name: string) => Risk | null
  /** Who has to agree to changes. */
  readonly governor: ChangeGovernor
  /** Resolves for a head that may be applied; throws SW_COMMIT_UNVERIFIED. `applied` null = nothing was applied yet. */
  readonly verify: (revision: Revision, applied: string | null) => Promise<void>
  /**
   * What was accepted of the source: `suspended` does not even read, `observe` plans and applies nothing. What the head itself
   * declares wins over `observe` and `enforce`, so that a first commit can say observe, and a later one end it.
   */
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
  /** What was planned last, as far as it waits for something. */
  readonly plan: WaitingPlan | null
}

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
  /** The last head that may be applied. */
  #verified: string | null = null
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
    if (this.#options.mode() === 'suspended') return null
    const startedMs = this.#options.store.clock.monotonicMs()
    let reading: Reading
    try {
      reading = await this.#read(trigger)
    } catch (error) {
      this.#failed(error)
      return await this.#refused(error, trigger.actor)
    }
    this.#state = { ...this.#state, failure: null, head: reading.revision }
    if (reading.nothing) return null
    try {
      return await this.#decide(reading, startedMs, trigger.actor)
    } catch (error) {
      // What was read is not accepted: the next pass starts over from the database.
      this.#desired = null
      throw error
    }
  }

  async #read(trigger: { readonly replan?: Iterable<ObjectKey>; readonly full?: boolean }): Promise<Reading> {
    const { source, world } = this.#options
    const revision = await source.head()
    await this.#verify(revision)
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
    const mode = this.#modeOf(this.#desired)
    const modeChanged = mode !== this.#mode
    this.#mode = mode
    const newHead = revision.commit !== (this.#state.sync?.to_revision ?? this.#appliedCommit)
    // What former commits would have changed is still to be changed.
    const everything = trigger.full === true || modeChanged || (mode === 'observe' && newHead)
    // A policy may have a window, and somebody's role may have changed: what waits for a word is looked at each time.
    const waits = this.#state.plan?.changes.some(({ held }) => held !== undefined) === true
    const asked = (trigger.replan !== undefined && touched.size > 0) || waits
    return {
      revision,
      desired: this.#desired,
      scope: everything ? null : affectedBy(touched, paths, this.#desired, world.objects),
      // What was only planned was not recorded file by file.
      paths: modeChanged ? [...this.#desired.paths()] : paths,
      nothing: !everything && !newHead && !asked && paths.length === 0,
    }
  }

  /** As the head declares it; a Source document that is broken or missing leaves it as it was. */
  #modeOf(desired: DesiredState): 'enforce' | 'observe' {
    const declared = desired.get(this.#ownKey)
    const spec = declared === null ? { mode: this.#options.mode() } : declared.resource.spec
    return spec['mode'] === 'observe' ? 'observe' : 'enforce'
  }

  get #ownKey(): ObjectKey {
    return keyOf({ kind: 'Source', namespace: '', name: this.#options.source.name })
  }

  async #start(revision: Revision): Promise<Reading> {
    const { source, store, world } = this.#options
    const head = await loadSourceHead(store.reader, source.name)
    const sameSchema = head?.schema_version === SCHEMA_VERSION
    const known = await loadSourceFiles(store.reader, source.name)
    const memory = sameSchema ? world : EMPTY_WORLD
    const trees = { tree: revision.tree, appliedTree: sameSchema ? head.applied_tree : null }
    const desired = await loadDesired(source, trees, memory, sameSchema ? known : [], this.#options.parse)
    this.#putBuiltin(desired)
    await this.#files.load(desired, revision.tree)
    this.#desired = desired
    this.#tree = revision.tree
    this.#mode = this.#modeOf(desired)
    this.#appliedCommit = head?.applied_revision ?? null
    const remarkable = [...desired.paths()].filter((path) => isRemarkable(desired.file(path)!))
    return {
      revision,
      desired,
      scope: null,
      paths: [...new Set([...remarkable, ...known.map((row) => row.path)])],
      nothing: false,
    }
  }

  #putBuiltin(desired: DesiredState): Set<ObjectKey> {
    const touched = desired.remove(BUILTIN_PATH)
    const file = this.#options.builtin((key) => this.#isDeclared(key, desired))
    for (const key of desired.put({ ...file, path: BUILTIN_PATH })) touched.add(key)
    return touched
  }

  /** Also by a document that is broken now: the object keeps its last good revision, nothing takes its place. */
  #isDeclared(key: ObjectKey, desired: DesiredState): boolean {
    if (desired.all(key).length > 0) return true
    const before = this.#options.world.get(key)
    const own = before === undefined ? undefined : desired.file(before.file)
    if (own?.unidentified === true || own?.unreadable === true) return true
    return [...desired.troubled()].some((file) => file.identified.includes(key))
  }

  async #decide(reading: Reading, startedMs: number, actor: string): Promise<Accepted | null> {
    const { store, world, source } = this.#options
    const { deletionLimit, builtinToolSchema, builtinToolRisk, governor } = this.#options
    const { made, governance } = await planReading(store, reading, governor, {
      actual: world.declared,
      fromRevision: this.#appliedCommit,
      fileOid: (path) => this.#files.get(path),
      builtinToolSchema,
      builtinToolRisk,
      deletionLimit,
    })
    const issues = await locateIssues(
      [...made.issues, ...heldIssues(made.changes)],
      source,
      (path) => reading.desired.file(path),
      this.#options.pointerInFile,
      this.#options.parse.limits.maxFileBytes,
    )
    this.#state = { ...this.#state, plan: waitingOf(made), issuesOf: issuesByObject(issues, made.changes) }
    if (await this.#isRecorded(made)) return null
    const accepted = await accept(store, world, {
      governance,
      heldBefore: heldIn(this.#state.sync),
      source: source.name,
      revision: reading.revision,
      plan: made,
      issues,
      desired: reading.desired,
      paths: reading.paths,
      observe: this.#mode === 'observe',
      rewritten: await this.#isRewritten(reading.revision),
      startedMs,
      actor,
      correlationId: newCorrelationId(),
    })
    if (this.#mode === 'enforce') this.#appliedCommit = reading.revision.commit
    this.#state = { ...this.#state, sync: accepted.sync }
    return accepted
  }

  /** Doing nothing writes nothing: the history ends with this already, also after a restart. */
  async #isRecorded(made: Plan): Promise<boolean> {
    const enforce = this.#mode === 'enforce'
    const still = made.changes.every(isWaiting) && made.moved.length === 0 && made.toRevision === this.#appliedCommit
    if (enforce && !still) return false
    if (enforce && this.#state.sync !== null) return true
    const { store, source } = this.#options
    const last = this.#state.sync ?? (await readSyncs(store.reader, source.name, 1))[0]
    if (last === undefined || last.to_revision !== made.toRevision) return false
    const same = enforce ? sameWaiting(last, made) : sameObserved(last, made, this.#ownKey)
    if (same) this.#state = { ...this.#state, sync: last }
    return same
  }

  /** Whether the branch no longer holds what was applied, or planned, last. */
  async #isRewritten(revision: Revision): Promise<boolean> {
    const before = this.#state.sync?.to_revision ?? this.#appliedCommit
    return before !== null && (await this.#options.source.descends?.(before, revision.commit)) === false
  }

  /** Once for each head; what was applied was verified then. */
  async #verify(revision: Revision): Promise<void> {
    const { source, store, verify } = this.#options
    if (revision.commit === this.#verified) return
    const applied =
      this.#desired === null
        ? ((await loadSourceHead(store.reader, source.name))?.applied_revision ?? null)
        : this.#appliedCommit
    if (revision.commit !== applied) await verify(revision, applied)
    this.#verified = revision.commit
  }

  /** A head that may not be read leaves a line of history; any other failure is only a failure. */
  async #refused(error: unknown, actor: string): Promise<Accepted | null> {
    if (!(error instanceof StatewardError) || error.ref !== 'SW_COMMIT_UNVERIFIED') return null
    const { store, source } = this.#options
    const sync = await refuse(store, {
      ...{ source: source.name, revision: String(error.details?.['commit']), applied: this.#appliedCommit, actor },
      ...{ code: error.ref, message: error.message, remedy: error.remedy },
    })
    return sync === null ? null : { sync, changed: [] }
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

const EMPTY_WORLD = new World()
