import { roleNamed, verbsOf } from '../api/auth/roles.ts'
import type { Verb } from '../api/auth/verbs.ts'
import type { Environment } from '../config/environment.ts'
import type { EventName } from '../events/catalogue.ts'
import { newCorrelationId, uuidv7 } from '../lib/ids.ts'
import { FREEZE_REF, freezeMessage, nextFreezeStep, readFreezeCommit } from '../reconcile/fleet/freeze-commit.ts'
import { watchRefs } from '../source/git/ref-watch.ts'
import { locateRepository } from '../source/git/repository-layout.ts'
import type { GitRepository } from '../source/ports.ts'
import { appendEvents } from '../store/log.ts'
import { type FreezeRow, isFreezeCommit, latestFreeze, noteFreezeCommit } from '../store/queries/freezes.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { CommitVerifier } from './commit-verifier.ts'
import type { FreezeByRef } from './freeze.ts'
import type { People } from './people.ts'
import { ensureSigningKey } from './signing-key.ts'
import type { OpenSource } from './source.ts'

export interface FreezeRefDeps {
  readonly store: Store
  readonly source: OpenSource
  readonly fleet: FreezeByRef
  readonly verifier: CommitVerifier
  readonly people: People
  readonly dataDir: string
  readonly environment: Environment
  /** How often it is looked at when nothing tells; a remote is asked no oftener. */
  readonly pollMs: () => number
}

const OWN = 'stateward'
const WHO = { name: 'Stateward', email: 'controller@stateward.dev' }
const TIMEOUT_MS = 30_000
/** What a step changes is looked at again; it settles in two or three. */
const MOST_STEPS = 5

/**
 * Keeps `refs/stateward/freeze` and the database saying the same. A freeze of the API is written there, signed with the key of
 * this installation; a commit that somebody who may freeze has signed and pushed there freezes, with git alone.
 */
export class FreezeRef {
  readonly #deps: FreezeRefDeps
  readonly #repository: GitRepository | null
  #watcher: Promise<{ close(): Promise<void> }> | null = null
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> = Promise.resolve()
  #waiting = false
  #stopped = false

  constructor(deps: FreezeRefDeps) {
    this.#deps = deps
    const { repository } = deps.source
    // Signatures need git itself.
    this.#repository = repository?.adapter === 'git' ? repository : null
  }

  start(): void {
    const repository = this.#repository
    if (repository === null) return
    const { store, source } = this.#deps
    if (source.remoteUrl === null) {
      const onChange = () => this.nudge()
      this.#watcher = locateRepository(repository.gitDir).then((layout) =>
        watchRefs({ layout, refs: [FREEZE_REF], onChange, log: store.log }),
      )
      this.#watcher.catch((error: unknown) =>
        store.log.warn({ err: error }, `${FREEZE_REF} is not watched, but looked at from time to time`),
      )
    }
    this.nudge()
  }

  /** The ref, or the fleet, may be another than before. */
  nudge(): void {
    if (this.#waiting || this.#stopped || this.#repository === null) return
    this.#waiting = true
    this.#looking = this.#looking.then(async () => {
      this.#waiting = false
      if (this.#timer !== null) clearTimeout(this.#timer)
      try {
        await this.#look(this.#repository!)
      } catch (error) {
        this.#deps.store.log.warn({ err: error }, `${FREEZE_REF} could not be looked at; it is tried again`)
      }
      if (this.#stopped) return
      this.#timer = setTimeout(() => this.nudge(), this.#deps.pollMs())
      this.#timer.unref()
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await (await this.#watcher?.catch(() => null))?.close()
    await this.#looking
  }

  async #look(repository: GitRepository): Promise<void> {
    const { store } = this.#deps
    for (let n = 0; n < MOST_STEPS && !this.#stopped; n++) {
      const row = await latestFreeze(store.engine)
      const tip = await this.#tip(repository)
      const isKnown = tip !== null && (await isFreezeCommit(store.engine, tip))
      const said = tip === null || isKnown ? null : await this.#said(repository, tip)
      const step = nextFreezeStep({ row, tip, isKnown, asks: said?.asks ?? null })
      if (step.do === 'nothing') return
      await this.#take(repository, step.do, { row, tip, said })
    }
  }

  async #take(
    repository: GitRepository,
    step: Exclude<ReturnType<typeof nextFreezeStep>['do'], 'nothing'>,
    { row, tip, said }: { readonly row: FreezeRow | null; readonly tip: string | null; readonly said: Said | null },
  ): Promise<void> {
    const { store, fleet } = this.#deps
    switch (step) {
      case 'write':
        return await this.#write(repository, row!)
      case 'note':
        return await transact(store, (tx) => noteFreezeCommit(tx, row!.id, tip!))
      case 'remove':
        return await this.#move(repository, tip!)
      case 'freeze':
      case 'lift': {
        const caller = { actor: said!.by, correlationId: newCorrelationId() }
        await fleet.byRef(step === 'freeze', said!.reason, caller, tip!)
        return
      }
      case 'refuse':
        return await this.#refuse(repository, tip!)
    }
  }

  /** The commit at the ref, brought here from where the repository is kept. */
  async #tip(repository: GitRepository): Promise<string | null> {
    const { remoteUrl: url } = this.#deps.source
    if (url === null) return await repository.resolve(FREEZE_REF)
    const there = await repository.listRemote({ url, patterns: [FREEZE_REF], timeoutMs: TIMEOUT_MS })
    const here = await repository.resolve(FREEZE_REF)
    if (there.has(FREEZE_REF)) {
      if (there.get(FREEZE_REF) !== here)
        await repository.fetch({ url, refspecs: [`+${FREEZE_REF}:${FREEZE_REF}`], timeoutMs: TIMEOUT_MS })
    } else if (here !== null) await repository.moveRef({ ref: FREEZE_REF, to: null, expected: here })
    return await repository.resolve(FREEZE_REF)
  }

  /** What a commit asks for, by whom; null = nothing that somebody who may has signed. */
  async #said(repository: GitRepository, commit: string): Promise<Said | null> {
    const read = readFreezeCommit((await repository.commit(commit)).message)
    const signer = await this.#signer(repository, commit)
    if (read === null || signer === null) return null
    const by = signer === OWN ? (read.actor ?? 'system:controller') : this.#principalOf(signer)
    const verb = read.asks === 'freeze' ? 'fleet.freeze' : 'fleet.unfreeze'
    return signer === OWN || this.#may(by, verb) ? { ...read, by } : null
  }

  async #signer(repository: GitRepository, commit: string): Promise<string | null> {
    const { publicKey } = await this.#key()
    const allowed = `${this.#deps.verifier.signers()}\n${OWN} namespaces="git" ${publicKey}\n`
    return (await repository.signatureOf(commit, allowed)).signer
  }

  #principalOf(signer: string): string {
    return signer.startsWith('user:') ? signer : this.#deps.people.identities().ofPerson({ name: '', email: signer })
  }

  #may(principal: string, verb: Verb): boolean {
    const { roles } = this.#deps.people.identities().standing(principal)
    return verbsOf(roles.flatMap((role) => roleNamed(role) ?? [])).has(verb)
  }

  async #write(repository: GitRepository, row: FreezeRow): Promise<void> {
    const { store, source } = this.#deps
    const { actor, reason, at, correlation_id: correlation } = row
    const said = { scope: 'all', by: actor, reason, at: at.toISOString() }
    const commit = await repository.writeCommit({
      ref: FREEZE_REF,
      parent: null,
      files: new Map([['freeze.json', `${JSON.stringify(said, null, 2)}\n`]]),
      message: freezeMessage({ actor, reason, correlation }),
      author: { name: actor, email: WHO.email },
      committer: WHO,
      time: store.clock.now(),
      signWith: (await this.#key()).file,
    })
    await transact(store, (tx) => noteFreezeCommit(tx, row.id, commit))
    const { remoteUrl: url } = source
    if (url !== null) await repository.push({ url, refspecs: [`${FREEZE_REF}:${FREEZE_REF}`], timeoutMs: TIMEOUT_MS })
  }

  async #move(repository: GitRepository, from: string): Promise<void> {
    const { remoteUrl: url } = this.#deps.source
    if (url !== null) await repository.deleteRemoteRef({ url, ref: FREEZE_REF, expected: from, timeoutMs: TIMEOUT_MS })
    await repository.moveRef({ ref: FREEZE_REF, to: null, expected: from })
  }

  async #refuse(repository: GitRepository, commit: string): Promise<void> {
    const { store } = this.#deps
    const signer = await this.#signer(repository, commit)
    const message = `commit ${commit.slice(0, 12)} at ${FREEZE_REF} ${
      signer === null
        ? 'has no good signature of anybody known'
        : `is signed by ${signer}, who may not, or asks for what there is not`
    }`
    await this.#move(repository, commit)
    const now = store.clock.now()
    await transact(store, (tx) =>
      appendEvents(tx, store, [
        {
          event_id: uuidv7(now.getTime()),
          event_name: 'stateward.fleet.freeze.refused' satisfies EventName,
          occurred_at: now,
          env_id: 'default',
          actor: 'system:controller',
          correlation_id: newCorrelationId(),
          data: { commit, signer, message },
        },
      ]),
    )
    store.log.warn({ commit, signer }, message)
  }

  #key() {
    return ensureSigningKey(this.#deps.dataDir, this.#deps.environment)
  }
}

interface Said {
  readonly asks: 'freeze' | 'lift'
  readonly reason: string | null
  readonly by: string
}
