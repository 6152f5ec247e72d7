import type { JsonObject } from '../lib/json.ts'

/** What hosts need from elsewhere; `build` plugs it in. */

/** The effective spec of a Host document; null when none was committed. */
export type HostSpecOf = (name: string) => JsonObject | null

/** Why this machine begins nothing yet; null = it may. */
export type HoldsUp = () => string | null

/** Records that a process ended with its host: its row, and its tasks back to the queue. */
export type EndWithHost = (instance: {
  readonly id: string
  readonly host: string
  readonly mode: 'daemon' | 'perTask'
}) => Promise<void>

/** Has the leader look at objects again: their keys. */
export type LookAgain = (keys: readonly string[]) => void
