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
  calls: number
  idle: NodeJS.Timeout | null
}

export interface LocalServersDeps {
  readonly provider: (name: string) => ProviderView | null
  readonly spawn: ServerSpawner
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void }
}

const TEST_PAUSE_MS = 250
const BUSY_PAUSE_MS = 50
const TEST_TIMEOUT_MS = 10_000
const DEFAULT_IDLE = '5m'

/**
 * The programs that serve models on this machine: started when one of them is asked, tested with a prompt before anybody else's
 * gets there, ended when nothing was asked for a while. One provider has one server; when its words name the model, another
 * model means another server. What answers at the address already is used as it is, and never ended.
 */
export class LocalServers implements ModelServers {
  readonly #deps: LocalServersDeps
  readonly #served = new Map<string, Served>()
  readonly #starting = new Map<string, Promise<void>>()
  /** Providers whose server somebody else runs. */
  readonly #elsewhere = new Set<string>()
  readonly #stopping = new AbortController()

  constructor(deps: LocalServersDeps) {
    this.#deps = deps
  }

  /** Models that servers of ours have loaded. */
  loaded(provider: string): readonly string[] {
    const served = this.#served.get(provider)
    return served === undefined || served.process.ended() ? [] : [served.model]
  }

  /** It answers: a server of ours that runs, or what answered at its address when it was asked last. */
  isUp(provider: string): boolean {
    const served = this.#served.get(provider)
    return served === undefined ? this.#elsewhere.has(provider) : !served.process.ended()
  }

  async ready(name: string, model: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const provider = this.#deps.provider(name)
    if (provider?.spec.server === undefined) return
    for (;;) {
      const under = this.#starting.get(name)
      if (under !== undefined) {
        await under.catch(() => undefined)
        continue
      }
      const words = wordsOf(provider, model)
      const served = this.#served.get(name)
      if (served !== undefined && !served.process.ended() && served.words.join('\0') === words.join('\0')) {
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
    if (served.calls === 0) this.#idle(name, served)
  }

  /** Ends what was started here. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the process stops'))
    await Promise.allSettled(this.#starting.values())
    await Promise.all([...this.#served.keys()].map((name) => this.#end(name)))
  }

  #busy(served: Served): void {
    served.calls += 1
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

  async #start(provider: ProviderView, model: string, words: readonly string[], before: Served | null): Promise<void> {
    const { server } = provider.spec
    const timeoutMs = parseDuration(server?.startTimeout ?? '2m')
    // Somebody else's, or one that outlived the process before: it answers already.
    this.#elsewhere.delete(provider.name)
    if (before === null && (await this.#test(provider, model).catch(() => false))) {
      this.#elsewhere.add(provider.name)
      return
    }
    if (before !== null) await this.#end(provider.name)
    const process = await this.#deps.spawn(provider, words)
    this.#served.set(provider.name, { words, model, process, calls: 0, idle: null })
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

function wordsOf(provider: ProviderView, model: string): readonly string[] {
  const file = provider.models.find(({ name }) => name === model)?.file ?? model
  const address = addressOf(provider.spec)
  const port = address === null ? '' : new URL(address).port
  return serverWords(provider.spec.server?.command ?? [], { port, model, file })
}
