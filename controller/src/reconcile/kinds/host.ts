import { type HostFacts, knownHardware } from '../../hosts/host-facts.ts'
import type { HostRow } from '../../store/queries/hosts.ts'
import { done } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'

export interface HostReconcilerDeps {
  /** How a host stands; `row` null = no machine has joined under the name. */
  readonly hostOf: (name: string) => Promise<{ readonly facts: HostFacts; readonly row: HostRow | null }>
}

const LOOK_AGAIN_MS = 300_000

/** A host: what it offers, and whether the machine behind it may run agents. */
export function hostReconciler(deps: HostReconcilerDeps): KindReconciler {
  const reportMachine: Phase = async ({ object, spec, fields }) => {
    const { facts, row } = await deps.hostOf(object.name)
    const { slots: agentSlots, memory } = facts
    fields['allocatable'] = facts.schedulable
      ? { agentSlots, ...(memory === null ? {} : { memory }) }
      : { agentSlots: 0 }
    const hardware = row === null ? null : knownHardware(row)
    if (hardware === null) delete fields['hardware']
    else fields['hardware'] = hardware
    if (row !== null && spec['connection'] !== undefined && spec['connection'] !== row.connection)
      return {
        kind: 'waiting',
        reason: 'NoHost',
        message: `declared as ${String(spec['connection'])}, but the machine under this name is ${row.connection}`,
        after: LOOK_AGAIN_MS,
      }
    if (facts.reason === 'Succeeded') return null
    return { kind: 'waiting', reason: facts.reason, message: facts.message, after: LOOK_AGAIN_MS }
  }
  return { kind: 'Host', phases: [reportMachine], finalize: () => done }
}
