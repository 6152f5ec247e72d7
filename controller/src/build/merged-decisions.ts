import { StatewardError } from '../lib/errors.ts'
import { createGateProposals, type GateProposals } from '../proposals/gate-proposals.ts'
import type { Proposals } from '../proposals/proposals.ts'
import { CONTROLLER_LEASE } from '../reconcile/controller.ts'
import type { ApprovalReconcilerDeps } from '../reconcile/kinds/approval.ts'
import { decideGate } from '../runs/gates/decide-gate.ts'
import type { EnvironmentOf } from '../runs/ports.ts'
import { listGates } from '../store/queries/gates.ts'
import { runsByReference } from '../store/queries/runs-read.ts'
import type { Store } from '../store/store.ts'
import type { OpenSource } from './source.ts'
import { SOURCE_NAME } from './state-repo.ts'
import { standingOf } from './world-views.ts'

const PUSH_TIMEOUT_MS = 60_000
const OWN_ADDRESS = 'controller@stateward.dev'

export interface MergedDecisionDeps {
  readonly store: Store
  readonly source: OpenSource
  readonly environmentOf: EnvironmentOf
  readonly nudge: (runId: string) => void
}

/** How an Approval of the state repo decides its gate. */
export function approvalDeps({ store, source, environmentOf, nudge }: MergedDecisionDeps): ApprovalReconcilerDeps {
  return {
    async findGate(namespace, run, step) {
      const [found] = (await runsByReference(store.engine, { text: run, namespace, limit: 1 })).filter(
        (one) => one.exact,
      )
      if (found === undefined) return null
      const gates = await listGates(store.engine, { runId: found.run_id, path: step, limit: 1000 })
      // Of a step that was attempted again the last one counts.
      const gate = gates.at(-1)
      return gate === undefined ? null : { stepId: gate.gate_id, mode: gate.mode, inputDigest: gate.input_digest }
    },
    decide: (request, caller) =>
      decideGate({ store, environmentOf, standingOf, nudge }, { ...request, merged: true }, caller),
    async mergedBy(object) {
      const author = await source.introducedBy(object)
      // A fast-forward leaves no commit of whoever merged: all that is known is that he may move the branch.
      return author === null || author.email === OWN_ADDRESS ? `source:${SOURCE_NAME}` : `git:${author.email}`
    },
  }
}

/** Proposes decisions where the source has branches; null for a plain folder. */
export function gateProposals(
  {
    store,
    source,
    environmentOf,
    proposals,
  }: Omit<MergedDecisionDeps, 'nudge'> & { readonly proposals: Proposals | null },
  path: string,
): GateProposals | null {
  const { repository, remoteUrl } = source
  if (repository === null || proposals === null) return null
  return createGateProposals({
    opening: (work) => proposals.opening(work),
    store,
    lease: CONTROLLER_LEASE,
    repository,
    head: async () => (await source.source.head()).commit,
    path,
    environmentOf,
    publish: async (ref) => {
      if (remoteUrl === null) return
      try {
        await repository.push({ url: remoteUrl, refspecs: [`${ref}:${ref}`], timeoutMs: PUSH_TIMEOUT_MS })
      } catch (error) {
        // It is there already, from before a crash: the same document.
        if (!(error instanceof StatewardError && error.ref === 'SW_CONFLICT')) throw error
      }
    },
  })
}
