import type { Tx } from '../../store/database.ts'
import { appendEvents } from '../../store/log.ts'
import type { NewEvent } from '../../store/ports.ts'
import {
  blueprintsWithHeld,
  deleteHeld,
  type HeldTrigger,
  insertHeldTrigger,
  oldestHeld,
} from '../../store/queries/held-triggers.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { CrashHook } from '../crash-points.ts'
import type { AcceptedBlueprint, Blueprints, EnvironmentOf, ToolRunner } from '../ports.ts'
import { admitRun, type Hold } from '../start/backpressure.ts'
import { isUnstorable, recordTriggered, triggerEvent, unstorable } from './record-triggered.ts'
import { type Triggered, triggeredBy } from './trigger-match.ts'

interface HeldTriggersDeps {
  readonly store: Store
  readonly blueprints: Blueprints
  readonly environmentOf: EnvironmentOf
  readonly tools?: Pick<ToolRunner, 'find'>
  readonly created: (runIds: readonly string[]) => void
  readonly held?: (blueprint: AcceptedBlueprint, message: string | null) => void
  readonly crashPoint: CrashHook
  readonly wakeAt: (time: Date) => void
}

/**
 * Events whose blueprint takes no more runs at the moment. Each is a row, written in the transaction that moves the cursor
 * behind the event and removed in the one that makes its run: none is lost, none starts two. While one of a blueprint is
 * held, later ones queue up behind it.
 */
export class HeldTriggers {
  readonly #deps: HeldTriggersDeps
  /** Blueprints with rows; null = to be read. */
  #waiting: Set<string> | null = null
  /** Those that get one with the transaction under way. */
  readonly #joining = new Set<string>()

  constructor(deps: HeldTriggersDeps) {
    this.#deps = deps
  }

  /** Holds an event back when its blueprint takes no more runs: the event that says so. Null = its run may be made now. */
  async hold(tx: Tx, one: Triggered): Promise<NewEvent | null> {
    if (one.kind === 'refused' || one.request.blueprint.plan.backpressure === null) return null
    const { store, environmentOf } = this.#deps
    const { blueprint, trigger } = one.request
    const now = store.clock.now()
    this.#waiting ??= new Set(await blueprintsWithHeld(tx))
    const isBehind = this.#waiting.has(blueprint.uid) || this.#joining.has(blueprint.uid)
    const admission = isBehind ? null : await admitRun(tx, blueprint, now)
    if (admission?.admitted === true) return null
    this.#joining.add(blueprint.uid)
    const row = { blueprint_uid: blueprint.uid, seq: one.event.seq, trigger, event: one.event }
    await insertHeldTrigger(tx, row, now)
    const data = {
      blueprint: blueprint.name,
      trigger,
      event_id: one.event.event_id,
      event_name: one.event.event_name,
      message: admission?.message ?? 'others that came before it are held back',
    }
    return triggerEvent('held', now, one.event, blueprint.uid, environmentOf(blueprint.namespace).id, data)
  }

  /** What was held in the transaction is durable. */
  committed(): void {
    for (const uid of this.#joining) this.#waiting?.add(uid)
    this.#joining.clear()
  }

  /** A transaction failed: what is held is read again. */
  forget(): void {
    this.#waiting = null
    this.#joining.clear()
  }

  /** Makes the runs that may be made now. */
  async deliver(): Promise<void> {
    const { store, blueprints } = this.#deps
    this.#waiting ??= new Set(await blueprintsWithHeld(store.engine))
    for (const uid of this.#waiting) {
      const blueprint = blueprints.all().find((one) => one.uid === uid)
      // They wait until it goes on; its rows go with its object.
      if (blueprint === undefined || blueprint.suspended) continue
      const hold = await this.#deliverAll(blueprint)
      if (hold !== null) {
        this.#deps.wakeAt(hold.retryAt)
        this.#deps.held?.(blueprint, hold.message)
      } else {
        this.#waiting.delete(uid)
        this.#deps.held?.(blueprint, null)
      }
    }
  }

  /** Null = nothing is held any more. */
  async #deliverAll(blueprint: AcceptedBlueprint): Promise<Hold | null> {
    const { store, created, crashPoint } = this.#deps
    for (;;) {
      const result = await transact(store, async (tx) => {
        const row = await oldestHeld(tx, blueprint.uid)
        if (row === null) return null
        const admission = await admitRun(tx, blueprint, store.clock.now())
        if (!admission.admitted) return admission
        const made = await this.#deliverOne(tx, blueprint, row)
        crashPoint('trigger.before_commit')
        return { admitted: true as const, made }
      })
      if (result === null || !result.admitted) return result
      crashPoint('trigger.after_commit')
      if (result.made !== null) created([result.made])
    }
  }

  async #deliverOne(tx: Tx, blueprint: AcceptedBlueprint, row: HeldTrigger): Promise<string | null> {
    const { store, environmentOf } = this.#deps
    if (!(await deleteHeld(tx, row))) return null
    const one = this.#asked(blueprint, row)
    const now = store.clock.now()
    const { made, event } = await tx
      .savepoint((inner) => recordTriggered(inner, now, one, environmentOf))
      .catch((error: unknown) => {
        if (!isUnstorable(error)) throw error
        return recordTriggered(tx, now, unstorable(one, error), environmentOf)
      })
    if (event !== null) await appendEvents(tx, store, [event])
    return made
  }

  /** What the event asks for now: the blueprint may have changed since. */
  #asked(blueprint: AcceptedBlueprint, { event, trigger }: HeldTrigger): Triggered {
    const { triggered } = triggeredBy(event, [blueprint], this.#deps.environmentOf, this.#deps.tools)
    return (
      triggered.find((one) => (one.kind === 'run' ? one.request.trigger : one.trigger) === trigger) ?? {
        kind: 'refused',
        blueprint,
        trigger,
        event,
        problems: [
          { message: 'the blueprint has changed while the event was held back: it does not ask for it any more' },
        ],
      }
    )
  }
}
