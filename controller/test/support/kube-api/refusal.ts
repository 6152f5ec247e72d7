import type { Cause } from './kube-resource.ts'

/** Field paths of an object by the manager and the part (`''` or `status`) they were applied to, as `manager part`. */
export type FieldOwners = Map<string, Set<string>>

/** An answer that is a metav1.Status. */
export class Refusal extends Error {
  readonly code: number
  readonly reason: string
  readonly causes: readonly Cause[]

  constructor(code: number, reason: string, message: string, causes: readonly Cause[]) {
    super(message)
    this.code = code
    this.reason = reason
    this.causes = causes
  }
}

export function refuse(code: number, reason: string, message: string, causes: readonly Cause[] = []): Refusal {
  return new Refusal(code, reason, message, causes)
}

export function statusOf({ code, reason, message, causes }: Refusal) {
  return {
    ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code },
    details: { causes: causes.map((cause) => ({ reason: 'FieldValueInvalid', ...cause })) },
  }
}
