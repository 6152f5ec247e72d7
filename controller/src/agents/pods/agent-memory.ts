import type { Held } from '../decide-instances.ts'
import type { Obstacle } from '../observation.ts'

/** What is remembered of an agent between two looks. */
export interface Memory {
  held: readonly Held[]
  obstacle: Obstacle | null
  timer: NodeJS.Timeout | undefined
}

/** A timer longer than this would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** What is remembered of all agents, and when each is looked at again. */
export class AgentMemory {
  readonly #agents = new Map<string, Memory>()
  readonly #look: (agentUid: string) => void

  constructor(look: (agentUid: string) => void) {
    this.#look = look
  }

  known(agentUid: string): Memory | undefined {
    return this.#agents.get(agentUid)
  }

  of(agentUid: string): Memory {
    const known = this.#agents.get(agentUid)
    if (known !== undefined) return known
    const memory: Memory = { held: [], obstacle: null, timer: undefined }
    this.#agents.set(agentUid, memory)
    return memory
  }

  /** Has it looked at at the first of these times, in milliseconds since the epoch; none = not by time. */
  lookAgain(agentUid: string, now: number, times: readonly (number | null)[]): void {
    const memory = this.of(agentUid)
    clearTimeout(memory.timer)
    const due = times.filter((time) => time !== null)
    if (due.length === 0) return
    const delay = Math.min(...due) - now
    memory.timer = setTimeout(() => this.#look(agentUid), Math.min(Math.max(delay, 1), LONGEST_TIMER_MS))
    memory.timer.unref()
  }

  forget(agentUid: string): void {
    clearTimeout(this.#agents.get(agentUid)?.timer)
    this.#agents.delete(agentUid)
  }

  clear(): void {
    for (const { timer } of this.#agents.values()) clearTimeout(timer)
    this.#agents.clear()
  }
}
