import type { EventName, VerbOf } from '../events/catalogue.ts'
import { fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import {
  type BreakerRow,
  type BreakerTarget,
  breakerOf,
  closeBreaker,
  openBreaker,
  type Trip,
} from '../store/queries/breakers.ts'
import type { Store } from '../store/store.ts'

/** `tool:ssh.run`, `agent:sre`. */
export function breakerId({ kind, name }: Pick<BreakerTarget, 'kind' | 'name'>): string {
  return `${kind.toLowerCase()}:${name}`
}

/** Opens a breaker; from the commit on no agent of it gets a task, and no process calls the tool a moment later. */
export async function trip(tx: Tx, store: Store, target: BreakerTarget, why: Omit<Trip, 'at'>): Promise<BreakerRow> {
  const at = store.clock.now()
  const row = await openBreaker(tx, target, { ...why, at })
  await appendEvents(tx, store, [breakerEvent('opened', row, at, why.actor)])
  return row
}

/** Closes a breaker. The same again changes nothing. SW_NOT_FOUND when it was never opened. */
export async function reset(tx: Tx, store: Store, target: BreakerTarget, actor: string): Promise<BreakerRow> {
  const at = store.clock.now()
  const closed = await closeBreaker(tx, target, { actor, at })
  if (closed !== null) {
    await appendEvents(tx, store, [breakerEvent('closed', closed, at, actor)])
    return closed
  }
  const row = await breakerOf(tx, target)
  if (row === null) throw fail('SW_NOT_FOUND', `the breaker ${breakerId(target)} was never opened`)
  return row
}

/** `stateward.breaker.<verb>`. */
export function breakerEvent(verb: VerbOf<'stateward.breaker'>, row: BreakerRow, at: Date, actor: string): NewEvent {
  const { kind, namespace, name, reason, probe_at, effect, declared_by } = row
  return {
    event_id: uuidv7(at.getTime()),
    event_name: `stateward.breaker.${verb}` satisfies EventName,
    occurred_at: at,
    env_id: namespace,
    actor,
    correlation_id: uuidv7(at.getTime()),
    resource: { type: 'Breaker', id: `${namespace}/${breakerId(row)}` },
    data: {
      breaker: breakerId(row),
      kind,
      namespace,
      name,
      ...(kind === 'Agent' ? { agent: name } : {}),
      reason,
      probe_at: probe_at?.toISOString() ?? null,
      effect,
      declared_by,
    },
  }
}
