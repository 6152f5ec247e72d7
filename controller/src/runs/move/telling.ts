import type { VerbOf } from '../../events/catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { NewEvent } from '../../store/ports.ts'
import { stepIdOf } from '../../store/queries/steps.ts'
import type { LargeValue } from '../ports.ts'
import type { Placed } from '../state/frame.ts'
import type { RunState } from '../state/run-state.ts'
import { isNesting } from '../state/running.ts'
import { carried, keepingIn } from './carried.ts'
import { eventOfRun, type Told } from './new-rows.ts'

/** What a move tells: its events in the order in which they happened, and the values that are too large for them. */
export class Telling {
  /** To be kept before the move is written. */
  readonly values: LargeValue[] = []
  readonly #run: RunState
  readonly #now: Date
  readonly #envId: string
  readonly #events: NewEvent[]
  /** By step id: what told of the start of a call that this move began, and has not ended. */
  readonly #begun = new Map<string, { readonly event: NewEvent; readonly told: JsonObject }>()

  /** `events`: where they are collected. */
  constructor(run: RunState, now: Date, envId: string, events: NewEvent[]) {
    this.#run = run
    this.#now = now
    this.#envId = envId
    this.#events = events
  }

  run(verb: VerbOf<'stateward.run'>, data: JsonObject, actor = this.#run.row.actor): void {
    this.#event({ name: `stateward.run.${verb}`, data, stepId: null, actor })
  }

  step(verb: VerbOf<'stateward.run.step'>, step: Placed, data: JsonObject, actor = this.#run.row.actor): NewEvent {
    const attempt = this.#run.steps.get(step.path)?.attempt ?? 1
    const named = { run: this.#run.row.name, step: step.path, kind: step.kind, attempt, ...data }
    return this.#event({ name: `stateward.run.step.${verb}`, data: named, stepId: this.stepId(step), actor })
  }

  gate(
    verb: VerbOf<'stateward.run.gate'>,
    step: Placed,
    data: JsonObject,
    { actor = this.#run.row.actor, stepId = this.stepId(step) }: { actor?: string; stepId?: string } = {},
  ): void {
    const named = { run: this.#run.row.name, step: step.path, ...data }
    this.#event({ name: `stateward.run.gate.${verb}`, data: named, stepId, actor })
  }

  /** An attempt of the step begins. */
  started(step: Placed, inputs: Json | null, told: JsonObject): void {
    const all = inputs === null ? told : { ...told, ...this.carry('inputs', inputs, step) }
    const event = this.step('started', step, all)
    if (step.kind === 'action_task') this.#begun.set(this.stepId(step), { event, told: all })
  }

  /** Whether the attempt that runs began in this move. */
  hasBegun(step: Placed): boolean {
    return this.#begun.has(this.stepId(step))
  }

  /**
   * What the event of a step's end has to tell because no other tells of its start: that of a loop, or one in this move.
   * `wasHeld`: the step was held back until this move.
   */
  beginning(step: Placed, wasHeld: boolean): JsonObject {
    const row = this.#run.steps.get(step.path)
    const begun = this.#begun.get(this.stepId(step))
    if (begun !== undefined) {
      this.#begun.delete(this.stepId(step))
      this.#events.splice(this.#events.lastIndexOf(begun.event), 1)
      // Of a step that was held back, its row tells of a time before it began.
      return wasHeld ? { ...begun.told, started_at: this.#now.toISOString() } : begun.told
    }
    if (!isNesting(step) || row?.started_at == null) return {}
    const inputs = row.inputs === null ? {} : this.carry('inputs', row.inputs, step)
    return { started_at: row.started_at.toISOString(), ...inputs }
  }

  /** A value of the step, or of the run (null), as an event of this move carries it. */
  carry(name: string, value: Json, step: Placed | null, bytes?: number): JsonObject {
    const { run_id: runId, name: run, correlation_id: correlationId } = this.#run.row
    const path = step?.path ?? null
    const named = `${path === null ? run : `${run}.${path}`}.${name}.json`
    const stepId = step === null ? null : this.stepId(step)
    const artifactOf = keepingIn(this.values, this.#now, { name: named, runId, stepId, path, correlationId })
    return carried(name, value, artifactOf, bytes)
  }

  stepId(step: Pick<Placed, 'path'>): string {
    return this.#run.steps.get(step.path)?.step_id ?? stepIdOf(this.#run.row.run_id, step.path, 1)
  }

  #event(told: Told): NewEvent {
    const event = eventOfRun(this.#run.row, this.#envId, this.#now, told)
    this.#events.push(event)
    return event
  }
}
