import type { JsonObject } from '../../lib/json.ts'

/** What has to be known to take a call back; durable before the call changes anything. */
export interface UndoEntry {
  readonly operationId: string
  readonly namespace: string
  readonly actor: string | null
  readonly tool: string
  readonly workspace: string
  readonly correlationId: string
  /** What the tool itself wants to know again. */
  readonly record: JsonObject
}

export interface KeptUndo extends UndoEntry {
  readonly undoneAt: Date | null
}

/** Where such entries are. */
export interface UndoStore {
  /** A folder for copies of what an operation is going to change; made when it is not there. */
  folder(operationId: string): Promise<string>
  /** Of an operation that is made again after a crash the first entry stays: it knows how it was. */
  keep(entry: UndoEntry): Promise<void>
  /** What became known after the call; of an operation nothing was kept of, nothing. */
  learn(operationId: string, record: JsonObject): Promise<void>
  /** By operation id, or by the id of a call outside of a step; null = nothing was kept. */
  find(call: string): Promise<KeptUndo | null>
  undone(operationId: string, by: { readonly actor: string; readonly correlationId: string }): Promise<void>
}
