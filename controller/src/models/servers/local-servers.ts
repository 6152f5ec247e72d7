import { setTimeout as delay } from 'node:timers/promises'
import { parseDuration } from '../../lib/duration.ts'
import { errorMessage } from '../../lib/errors.ts'
import { askModel } from '../ask-model.ts'
import type { ModelServers } from '../ports.ts'
import { addressOf } from '../providers/connect.ts'
import { ModelFailure } from '../providers/failure.ts'
import type { ProviderView } from '../routing/view.ts'
import { type ServerProcess, type ServerSpawner, serverWords } from './server-process.ts'

/** How a server of a provider stands. */
interface Served {
  /** The words it was started with. */
  readonly words: readonly string[]
  readonly model: string
  readonly process: ServerProcess
  /** Nobody has asked it yet in this process: it gets its test prompt first. */
  isUntested: boolean
  calls: number
  idle: NodeJS.Timeout | null
  /** It ends with its last call. */
  isReleased: boolean
}

export interface LocalServersDeps {
  readonly provider: (name: string) => ProviderView | null
  readonly programs: ServerSpawner
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void }
}

const TEST_PAUSE_MS = 250
const BUSY_PAUSE_MS = 50
const TEST_TIMEOUT_MS = 10_000
const DEFAULT_IDLE = '5m'

/**
 * The programs that serve models on this machine: started when one of them is asked, tested with a prompt before anybody else's
 * gets there, ended when nothing was asked for a while. One provider has one server; when its words name the model, another
 * model means another server. What answers at the address already is used as it is, and never ended. What a process left that
 * was killed is taken over when it is what would be started, and ended when it is not.
 */
export class LocalServers implements ModelServers {
  readonly #deps: LocalServersDeps
  readonly #served = new Map<string, Served>()
  readonly #starting = new Map<string, Promise<void>>()
  /** Providers whose server somebody else runs, with the address at which it answered. */
  readonly #elsewhere = new Map<string, string>()
  readonly #stopping = new AbortController()
  #recovered: Promise<void> | null = null

  constructor(deps: LocalServersDeps) {
    this.#deps = deps
  }

  /** Models that servers of ours have loaded. */
  loaded(provider: string): readonly string[] {
    const served = this.#served.get(provider)
    return served === undefined || served.process.ended() ? [] : [served.model]
  }

  /** It answers with that model: a server of ours that runs with its words, or what answered at its address when it was asked last. */
  isUp(name: string, model: string): boolean {
    const provider = this.#deps.provider(name)
    if (provider === null) return false
    const served = this.#served.get(name)
    if (served === undefined) return this.#elsewhere.get(name) === addressOf(provider.spec)
    return !served.isUntested && isCurrent(served, wordsOf(provider, model))
  }

  /** Looks once for what a process left that is not there any more; the accepted state has to be known. */
  recover(): Promise<void> {
    this.#recovered ??= this.#recover()
    return this.#recovered
  }

  /** Resolves when a model of this machine answers a test prompt, whoever runs its server. Throws a ModelFailure. */
  async load(name: string, model: string, signal: AbortSignal): Promise<void> {
    const provider = this.#deps.provider(name)
    if (provider === null) return
    if (provider.spec.server !== undefined) {
      await this.ready(name, model, signal)
      this.used(name, model)
      return
    }
    this.#elsewhere.delete(name)
    await this.#test(provider, model)
    this.#elsewhere.set(name, addressOf(provider.spec) ?? '')
  }

  /** It is not to be there any more: ended at once, or after the calls that are under way. */
  async release(name: string): Promise<void> {
    await this.recover()
    const served = this.#served.get(name)
    if (served === undefined) return
    served.isReleased = true
    if (served.calls === 0) await this.#end(name)
  }

  async ready(name: string, model: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const provider = this.#deps.provider(name)
    if (provider?.spec.server === undefined) return
    await this.recover()
    for (;;) {
      const under = this.#starting.get(name)
      if (under !== undefined) {
        await under.catch(() => undefined)
        continue
      }
      const words = wordsOf(provider, model)
      const served = this.#served.get(name)
      if (served !== undefined && !served.isUntested && isCurrent(served, words)) {
        this.#busy(served)
        return
      }
      // Another model takes its place when nobody asks it any more.
      if (served !== undefined && !served.process.ended() && served.calls > 0) {
        await delay(BUSY_PAUSE_MS, undefined, { signal })
        continue
      }
      const starting = this.#start(provider, model, words, served ?? null)
      this.#starting.set(name, starting)
      try {
        await starting
      } finally {
        this.#starting.delete(name)
      }
      const begun = this.#served.get(name)
      if (begun !== undefined) this.#busy(begun)
      return
    }
  }

  used(name: string, _model: string): void {
    const served = this.#served.get(name)
    if (served === undefined) return
    served.calls = Math.max(0, served.calls - 1)
    if (served.calls > 0) return
    if (served.isReleased) void this.#end(name)
    else this.#idle(name, served)
  }

  /** Ends what was started here. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the process stops'))
    await this.#recovered
    await Promise.allSettled(this.#starting.values())
    await Promise.all([...this.#served.keys()].map((name) => this.#end(name)))
  }

  #busy(served: Served): void {
    served.calls += 1
    served.isReleased = false
    if (served.idle !== null) clearTimeout(served.idle)
    served.idle = null
  }

  #idle(name: string, served: Served): void {
    if (served.idle !== null) clearTimeout(served.idle)
    const provider = this.#deps.provider(name)
    const spec = provider?.models.find((one) => one.name === served.model)
    if (spec?.alwaysLoaded === true) return
    served.idle = setTimeout(
      () => {
        this.#deps.log.info({ provider: name, model: served.model }, 'a model server is unloaded: nothing asked for it')
        void this.#end(name)
      },
      parseDuration(spec?.unloadAfterIdle ?? DEFAULT_IDLE),
    )
    served.idle.unref()
  }

  async #recover(): Promise<void> {
    for (const { provider: name, model, words, process } of this.#deps.programs.left()) {
      const provider = this.#deps.provider(name)
      const isWanted =
        provider?.spec.server !== undefined && !provider.suspended && same(words, wordsOf(provider, model))
      const fields = { provider: name, model }
      if (isWanted) {
        this.#deps.log.info(fields, 'a model server is taken over from a process that went away')
        const served = { words, model, process, isUntested: true, calls: 0, idle: null, isReleased: false }
        this.#served.set(name, served)
        this.#idle(name, served)
      } else {
        this.#deps.log.info(fields, 'a model server is ended that a process left behind')
        await process.end()
      }
    }
  }

  async #start(provider: ProviderView, model: string, words: readonly string[], before: Served | null): Promise<void> {
    const { server } = provider.spec
    const timeoutMs = parseDuration(server?.startTimeout ?? '2m')
    this.#elsewhere.delete(provider.name)
    // Somebody else's, or one that was taken over: it answers already.
    const answers = async (): Promise<boolean> => await this.#test(provider, model).catch(() => false)
    if (before === null && (await answers())) {
      this.#elsewhere.set(provider.name, addressOf(provider.spec) ?? '')
      return
    }
    if (before?.isUntested === true && isCurrent(before, words) && (await answers())) {
      before.isUntested = false
      return
    }
    if (before !== null) await this.#end(provider.name)
    const process = await this.#deps.programs.spawn(provider, model, words)
    const served = { words, model, process, isUntested: false, calls: 0, idle: null, isReleased: false }
    this.#served.set(provider.name, served)
    const until = performance.now() + timeoutMs
    let last: unknown = null
    while (performance.now() < until && !this.#stopping.signal.aborted) {
      if (process.ended()) {
        this.#served.delete(provider.name)
        throw new ModelFailure('error', `its server ended at once: ${process.lastWords()}`)
      }
      try {
        await this.#test(provider, model)
        this.#deps.log.info({ provider: provider.name, model }, 'a model server answers')
        return
      } catch (error) {
        last = error
        await delay(TEST_PAUSE_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
      }
    }
    await this.#end(provider.name)
    throw new ModelFailure('timeout', `its server did not answer within ${timeoutMs} ms: ${errorMessage(last)}`)
  }

  async #test(provider: ProviderView, model: string): Promise<boolean> {
    const text = provider.spec.server?.healthPrompt ?? 'Say ok.'
    await askModel({
      connection: {
        spec: provider.spec,
        model,
        modelSpec: provider.models.find(({ name }) => name === model),
        key: null,
      },
      prompt: {
        system: null,
        messages: [{ role: 'user', text }],
        tools: [],
        outputSchema: null,
        maxTokens: 8,
        temperature: 0,
      },
      timeoutMs: TEST_TIMEOUT_MS,
      signal: this.#stopping.signal,
      onText: () => {},
    })
    return true
  }

  async #end(name: string): Promise<void> {
    const served = this.#served.get(name)
    if (served === undefined) return
    this.#served.delete(name)
    if (served.idle !== null) clearTimeout(served.idle)
    await served.process.end()
  }
}

const same = (one: readonly string[], other: readonly string[]): boolean => one.join('\0') === other.join('\0')

/** It runs, and is what would be started. */
function isCurrent(served: Served, words: readonly string[]): boolean {
  return !served.process.ended() && same(served.words, words)
}

function wordsOf(provider: ProviderView, model: string): readonly string[] {
  const file = provider.models.find(({ name }) => name === model)?.file ?? model
  const address = addressOf(provider.spec)
  const port = address === null ? '' : new URL(address).port
  return serverWords(provider.spec.server?.command ?? [], { port, model, file })
}
