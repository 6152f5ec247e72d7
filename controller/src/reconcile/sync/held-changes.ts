import type { EventName } from '../../events/catalogue.ts'
import { keyOf } from '../../kinds/resource.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { Issue } from '../../lib/issue.ts'
import { approveCommand } from '../../plan/approvals/hold.ts'
import type { Change } from '../../plan/change-set.ts'
import type { NewEvent } from '../../store/ports.ts'
import type { SyncRow } from '../../store/queries/sources.ts'
import type { AcceptRequest } from './accept-request.ts'

/** What keeps its last good revision because policy says no, or nobody who may has agreed to the new one. */

function lineOf(change: Change): string {
  return [keyOf(change), change.reason, change.fromDigest, change.toDigest].join(' ')
}

/** Of a row of the history, as far as it keeps them. */
export function heldIn(sync: SyncRow | null): ReadonlySet<string> {
  return new Set((sync?.changes ?? []).flatMap((change) => (change.held === undefined ? [] : [lineOf(change)])))
}

/** Shown with the source, the note of the commit and the object. */
export function heldIssues(changes: readonly Change[]): Issue[] {
  return changes.flatMap((change): Issue[] => {
    if (change.held === undefined) return []
    const denied = change.reason === 'PolicyDenied'
    const late = change.reason === 'OutsideWindow'
    return [
      {
        code: denied ? 'SW_POLICY_DENIED' : late ? 'SW_OUTSIDE_WINDOW' : 'SW_APPROVAL_REQUIRED',
        severity: 'warning',
        message: `its ${WORDS[change.held]} ${denied ? 'is denied' : 'waits'}: ${change.message ?? ''}`,
        hint: denied
          ? 'change the policy, or take the change back'
          : late
            ? 'wait, or suspend the policy for a while: stateward suspend policy/<name> --reason … --for 1h'
            : `whoever may runs: ${approveCommand(keyOf(change))}`,
        object: keyOf(change),
        ...(change.file === undefined ? {} : { file: change.file }),
      },
    ]
  })
}

const WORDS = { create: 'creation', update: 'update', delete: 'deletion' } as const

/** One for each change that did not wait before. */
export function heldEvents(request: AcceptRequest, now: Date): NewEvent[] {
  return request.plan.changes.flatMap((change): NewEvent[] => {
    if (change.held === undefined || request.heldBefore.has(lineOf(change))) return []
    const { kind, namespace, name, reason, message, fromDigest, toDigest, held, approval } = change
    return [
      {
        event_id: uuidv7(now.getTime()),
        event_name: 'stateward.change.held' satisfies EventName,
        occurred_at: now,
        env_id: namespace === '' ? 'default' : namespace,
        actor: request.actor,
        correlation_id: request.correlationId,
        data: {
          ...{ kind, namespace, name, action: held, reason: reason ?? '', message: message ?? '' },
          ...{ from: fromDigest, to: toDigest, revision: request.revision.commit },
          approvers: [...new Set(approval?.asks.flatMap(({ fromAnyOf }) => fromAnyOf) ?? [])],
        },
      },
    ]
  })
}
