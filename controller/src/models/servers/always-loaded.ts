import { errorMessage } from '../../lib/errors.ts'
import type { ProviderView } from '../routing/view.ts'
import type { LocalServers } from './local-servers.ts'

/** How long a model may take in all: its server has a limit of its own. */
const LONGEST_MS = 3_600_000

export interface Loading {
  readonly ready: boolean
  /** Why it could not be loaded; null while that is under way, and when it is there. */
  readonly problem: string | null
}

interface State {
  problem: string | null
  isDone: boolean
}

/**
 * Models of this machine that are always to be there. They are loaded beside whoever looks; each gets a test prompt, and is there
 * when it answers. What failed is tried again with the next look.
 */
export class AlwaysLoaded {
  readonly #servers: Pick<LocalServers, 'load' | 'isUp'>
  readonly #providers: () => ReadonlyMap<string, ProviderView>
  readonly #loading = new Map<string, State>()

  constructor(servers: Pick<LocalServers, 'load' | 'isUp'>, providers: () => ReadonlyMap<string, ProviderView>) {
    this.#servers = servers
    this.#providers = providers
  }

  /** How the models of a provider stand that are always to be there, and loads them; null = it has none. */
  look(name: string): Loading | null {
    const provider = this.#providers().get(name)
    const models = provider === undefined ? [] : alwaysLoaded(provider)
    if (models.length === 0) {
      this.#loading.delete(name)
      return null
    }
    if (this.#isUp(name, models)) return { ready: true, problem: null }
    const before = this.#loading.get(name)
    if (before === undefined || before.isDone) void this.#load(name, models, before?.problem ?? null)
    return { ready: false, problem: before?.problem ?? null }
  }

  /** Looks at all of them. */
  lookAtAll(): void {
    for (const name of this.#providers().keys()) this.look(name)
  }

  /** What is not there that should be; null = nothing. */
  problem(): string | null {
    for (const provider of this.#providers().values()) {
      const { name } = provider
      const models = alwaysLoaded(provider)
      if (models.length === 0 || this.#isUp(name, models)) continue
      const problem = this.#loading.get(name)?.problem ?? 'it is being loaded'
      return `model ${models.join(', ')} of provider ${name} is not there: ${problem}`
    }
    return null
  }

  #isUp(name: string, models: readonly string[]): boolean {
    const state = this.#loading.get(name)
    return state?.isDone === true && state.problem === null && models.every((model) => this.#servers.isUp(name, model))
  }

  async #load(name: string, models: readonly string[], problem: string | null): Promise<void> {
    const state: State = { problem, isDone: false }
    this.#loading.set(name, state)
    try {
      for (const model of models) await this.#servers.load(name, model, AbortSignal.timeout(LONGEST_MS))
      state.problem = null
    } catch (error) {
      state.problem = errorMessage(error)
    } finally {
      state.isDone = true
    }
  }
}

/** What is declared so, where there is a server that can be asked for it: one of this machine. */
function alwaysLoaded({ spec, models, suspended }: ProviderView): string[] {
  const isHere = spec.server !== undefined || spec.type === 'ollama' || spec.type === 'llama-cpp'
  return isHere && !suspended ? models.flatMap(({ name, alwaysLoaded: is }) => (is === true ? [name] : [])) : []
}
