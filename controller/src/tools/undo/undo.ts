import type { Json } from '../../lib/json.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import type { KeptUndo } from './ports.ts'

/** The call that takes another one back. */
export interface UndoneBy {
  readonly call: Invocation
  readonly dependencies: ToolDependencies
}

/** Takes a call back by what it kept; again, it changes nothing. */
export type Undo = (entry: KeptUndo, copies: string, by: UndoneBy) => Promise<Json>
