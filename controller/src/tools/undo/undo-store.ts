import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { EventName } from '../../events/catalogue.ts'
import { sha256 } from '../../lib/digest.ts'
import { isUuid, uuidv7 } from '../../lib/ids.ts'
import { appendEvents } from '../../store/log.ts'
import { toolCallById } from '../../store/queries/tool-calls.ts'
import {
  deleteToolUndosBefore,
  insertToolUndo,
  learnToolUndo,
  markUndone,
  toolUndoOf,
} from '../../store/queries/tool-undos.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { UndoStore } from './ports.ts'

/** Rows a transaction removes at most. */
const BATCH = 200

export interface UndoStoreDeps {
  readonly store: Store
  /** The folder of all copies. */
  readonly folder: string
  readonly envId: (namespace: string) => string
}

/** Entries are rows; copies are in a folder for each operation, beside the folders that tools reach. */
export function openUndoStore({ store, folder, envId }: UndoStoreDeps): UndoStore {
  return {
    async folder(operationId) {
      const own = join(folder, sha256(operationId))
      await mkdir(own, { recursive: true, mode: 0o700 })
      return own
    },
    async keep({ operationId, correlationId, ...entry }) {
      const row = { ...entry, operation_id: operationId, correlation_id: correlationId, created_at: store.clock.now() }
      await transact(store, (tx) => insertToolUndo(tx, row))
    },
    async learn(operationId, record) {
      await transact(store, (tx) => learnToolUndo(tx, operationId, record))
    },
    async find(call) {
      const operation = isUuid(call) ? ((await toolCallById(store.engine, call))?.operation_id ?? call) : call
      const row = await toolUndoOf(store.engine, operation)
      if (row === null) return null
      const { namespace, actor, tool, workspace, record } = row
      return {
        ...{ namespace, actor, tool, workspace, record },
        operationId: row.operation_id,
        correlationId: row.correlation_id,
        undoneAt: row.undone_at,
      }
    },
    async undone(operationId, { actor, correlationId }) {
      const at = store.clock.now()
      await transact(store, async (tx) => {
        const row = await markUndone(tx, operationId, { actor, at })
        if (row === null) return
        await appendEvents(tx, store, [
          {
            event_id: uuidv7(at.getTime()),
            event_name: 'stateward.tool.reverted' satisfies EventName,
            occurred_at: at,
            env_id: envId(row.namespace),
            actor,
            correlation_id: correlationId,
            data: { operation_id: operationId, tool: row.tool, namespace: row.namespace },
          },
        ])
      })
    },
  }
}

/** Forgets how calls older than `keepMs` are taken back, with their copies; how many. */
export async function forgetUndos(
  { store, folder }: Pick<UndoStoreDeps, 'store' | 'folder'>,
  keepMs: number,
): Promise<number> {
  const before = new Date(store.clock.now().getTime() - keepMs)
  for (let all = 0; ; ) {
    const gone = await transact(store, (tx) => deleteToolUndosBefore(tx, before, BATCH))
    for (const operation of gone) await rm(join(folder, sha256(operation)), { recursive: true, force: true })
    all += gone.length
    if (gone.length < BATCH) return all
  }
}
