import type {
  DecisionRow,
  EffectRow,
  GateRow,
  NewRun,
  RunStatus,
  StepRow,
  TaskRow,
  Transition,
  WaitRow,
} from '../../store/journal.ts'
import type { NewEvent } from '../../store/ports.ts'
import type { InboxRow } from '../../store/queries/inbox.ts'
import type { RunState } from '../state/run-state.ts'

/**
 * What a move writes: of the run, of each attempt of a step and of each gate and effect at most one row, as it is when the
 * move is over; events in the order in which they happened.
 */
export class MoveRows {
  /** By step id: the attempt that ends and the next one are two rows. */
  readonly steps = new Map<string, StepRow>()
  readonly gates = new Map<string, GateRow>()
  readonly effects = new Map<string, EffectRow>()
  readonly tasks: TaskRow[] = []
  /** Ids of the steps whose tasks nobody waits for any more. */
  readonly cancelledTasks: string[] = []
  readonly waits: WaitRow[] = []
  readonly endedWaits: string[] = []
  readonly consumed: InboxRow[] = []
  /** What policies decided on the way. */
  readonly decisions: DecisionRow[] = []
  readonly events: NewEvent[] = []
  created: NewRun | null = null
  runChanged = false
  release: { readonly wakeAt: Date | null } | null = null

  get isEmpty(): boolean {
    const rows =
      this.steps.size + this.gates.size + this.effects.size + this.cancelledTasks.length + this.consumed.length
    return !this.runChanged && this.release === null && rows === 0 && this.events.length === 0
  }

  /** As the journal takes it; `from` is what the run was when the move began. */
  toTransition(run: RunState, from: RunStatus, now: Date): Transition {
    const { run_id } = run.row
    const runIsWritten = this.runChanged || this.release !== null || this.created !== null
    return {
      run_id,
      created: this.created,
      run: runIsWritten ? this.#runChange(run, from, now) : null,
      steps: [...this.steps.values()],
      gates: [...this.gates.values()],
      effects: [...this.effects.values()],
      tasks: this.tasks,
      taskCancels: this.cancelledTasks.map((step_id) => ({ run_id, step_id, completed_at: now })),
      waits: this.waits,
      waitEnds: this.endedWaits.map((step_id) => ({ step_id })),
      consumed: this.consumed.map(({ id }) => ({ id, consumed_at: now })),
      ...(this.decisions.length === 0 ? {} : { decisions: this.decisions }),
      events: this.events,
    }
  }

  #runChange({ row, signals }: RunState, from: RunStatus, now: Date): NonNullable<Transition['run']> {
    return {
      run_id: row.run_id,
      from: [from],
      status: row.status,
      release: this.release !== null,
      signals,
      now,
      wake_at: this.release?.wakeAt ?? null,
      outputs: row.outputs,
      error: row.error,
      condition: row.condition,
      started_at: row.started_at,
      completed_at: row.completed_at,
      deadline: row.deadline,
    }
  }
}
