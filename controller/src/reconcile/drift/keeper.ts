import { isDeepStrictEqual } from 'node:util'
import type { EventName, VerbOf } from '../../events/catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import { appendEvents } from '../../store/log.ts'
import type { NewEvent } from '../../store/ports.ts'
import { type DriftRow, loadDrifts, removeDrift, saveDrift } from '../../store/queries/drifts.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { ReconcileContext } from '../runtime/reconciler.ts'
import type { WorldObject } from '../world.ts'
import type { Drift, DriftSource } from './ports.ts'

/** Differences that a condition names; the list has all. */
const NAMED = 3

/**
 * What differs from Git, of every object: looked for at the end of each of its reconciles, kept in the table `drifts`, told
 * to the log when it begins and ends, and shown as the condition `Drifted`. Nothing is written while nothing changes.
 */
export class DriftKeeper {
  readonly #store: Store
  readonly #sources: readonly DriftSource[]
  readonly #known = new Map<string, DriftRow[]>()

  constructor(store: Store, sources: readonly DriftSource[]) {
    this.#store = store
    this.#sources = sources
  }

  /** What a former leader found, without what is gone meanwhile. */
  async load(isThere: (uid: string) => boolean): Promise<void> {
    this.#known.clear()
    const rows = await loadDrifts(this.#store.engine)
    const gone = rows.filter((row) => !isThere(row.object_uid))
    if (gone.length > 0)
      await transact(this.#store, async (tx) => {
        for (const { id } of gone) await removeDrift(tx, id)
      })
    for (const row of rows)
      if (!gone.includes(row)) this.#known.set(row.object_uid, [...(this.#known.get(row.object_uid) ?? []), row])
  }

  sourceOf({ source }: DriftRow): DriftSource | null {
    return this.#sources.find(({ name }) => name === source) ?? null
  }

  /** Whether somebody asked for what Git says, of something that this source saw. */
  isEnforcing(uid: string, source: string): boolean {
    return this.#known.get(uid)?.some((row) => row.source === source && row.enforcing) === true
  }

  /** A row was changed behind this keeper. */
  changed(row: DriftRow): void {
    const rows = this.#known.get(row.object_uid) ?? []
    this.#known.set(
      row.object_uid,
      rows.map((known) => (known.id === row.id ? row : known)),
    )
  }

  /** Looks at one object, says what differs, and keeps it. */
  async look(context: ReconcileContext): Promise<void> {
    const { object, conditions } = context
    const found: { readonly source: string; readonly drift: Drift }[] = []
    for (const row of this.#known.get(object.uid) ?? [])
      if (row.enforcing) await this.sourceOf(row)?.restore?.(object, row)
    for (const source of this.#sources)
      for (const drift of await source.find(context)) found.push({ source: source.name, drift })
    if (found.length > 0) {
      const more = found.length > NAMED ? ` (and ${found.length - NAMED} more)` : ''
      const named = found.slice(0, NAMED).map(({ drift }) => drift.detail)
      // A kind that says more about it itself is not talked over.
      if (conditions.get('Drifted')?.status !== 'True')
        conditions.set('Drifted', 'True', 'Drifted', named.join('; ') + more)
    }
    await this.#keep(object, found, context.correlationId)
  }

  /** An object is gone, and with it whatever differed. */
  async forget(object: Pick<WorldObject, 'uid' | 'kind' | 'namespace' | 'name'>, correlationId: string): Promise<void> {
    await this.#keep(object, [], correlationId)
  }

  async #keep(
    object: Pick<WorldObject, 'uid' | 'kind' | 'namespace' | 'name'>,
    found: readonly { readonly source: string; readonly drift: Drift }[],
    correlationId: string,
  ): Promise<void> {
    const known = this.#known.get(object.uid) ?? []
    const now = this.#store.clock.now()
    const rows = found.map(({ source, drift }) => {
      const before = known.find((row) => row.source === source && row.field === drift.field)
      return rowOf(object, source, drift, before ?? null, now)
    })
    const isKnown = (row: DriftRow) => known.some(({ id }) => id === row.id)
    const fresh = rows.filter((row) => !isKnown(row))
    const other = rows.filter((row) => isKnown(row) && !known.some((before) => isDeepStrictEqual(before, row)))
    const gone = known.filter(({ id }) => !rows.some((row) => row.id === id))
    if (fresh.length + other.length + gone.length === 0) return
    await transact(this.#store, async (tx) => {
      for (const { id } of gone) await removeDrift(tx, id)
      for (const row of [...fresh, ...other]) await saveDrift(tx, row)
      const told = { at: now, actor: 'system', correlationId }
      const events = [
        ...gone.map((row) => driftEvent('cleared', row, told)),
        ...fresh.map((row) => driftEvent('detected', row, told, { detail: row.detail })),
      ]
      if (events.length > 0) await appendEvents(tx, this.#store, events)
    })
    if (rows.length === 0) this.#known.delete(object.uid)
    else this.#known.set(object.uid, rows)
  }
}

function rowOf(
  { uid, kind, namespace, name }: Pick<WorldObject, 'uid' | 'kind' | 'namespace' | 'name'>,
  source: string,
  { field, live, declared, detail, by }: Drift,
  before: DriftRow | null,
  now: Date,
): DriftRow {
  const seen = { live, declared, detail, set_by: by }
  if (before !== null) return { ...before, ...seen }
  return {
    ...{ id: uuidv7(now.getTime()), object_uid: uid, kind, namespace, name, source, field, ...seen },
    ...{ since: now, enforcing: false, branch: null, commit: null },
  }
}

/** `stateward.drift.<verb>` */
export function driftEvent(
  verb: VerbOf<'stateward.drift'>,
  row: DriftRow,
  by: { readonly at: Date; readonly actor: string; readonly correlationId: string },
  more: JsonObject = {},
): NewEvent {
  const { id, object_uid, kind, namespace, name, source, field } = row
  return {
    event_id: uuidv7(by.at.getTime()),
    event_name: `stateward.drift.${verb}` satisfies EventName,
    occurred_at: by.at,
    env_id: namespace === '' ? 'default' : namespace,
    actor: by.actor,
    correlation_id: by.correlationId,
    resource: { type: kind, id: object_uid },
    data: { drift_id: id, kind, namespace, name, source, field, ...more },
  }
}
