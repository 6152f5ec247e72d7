import type { Caller } from '../caller.ts'

export interface FleetState {
  readonly frozen: boolean
  readonly by: string | null
  readonly reason: string | null
  readonly since: Date | null
  /** At refs/stateward/freeze, signed; null until it is written, and where there is no repository. */
  readonly commit: string | null
}

/** The fleet as a whole. The same again changes nothing. */
export interface Fleet {
  state(): Promise<FleetState>
  freeze(reason: string | null, caller: Caller): Promise<FleetState>
  unfreeze(reason: string | null, caller: Caller): Promise<FleetState>
  /** Throws SW_FROZEN while it is halted. */
  assertGoing(): void
}
