import type { Condition, Reason } from '../kinds/conditions.ts'

/** A condition as a reconciler states it; times and generations are filled in by the summary. */
export interface Statement {
  readonly status: Condition['status']
  readonly reason: Reason
  readonly message: string
}

/** What the phases of one reconcile say, by condition type; the last word on a type counts. */
export class ConditionSet {
  readonly #statements = new Map<string, Statement>()

  set(type: string, status: Condition['status'], reason: Reason, message: string): void {
    this.#statements.set(type, { status, reason, message })
  }

  get(type: string): Statement | undefined {
    return this.#statements.get(type)
  }

  entries(): IterableIterator<[string, Statement]> {
    return this.#statements.entries()
  }
}
