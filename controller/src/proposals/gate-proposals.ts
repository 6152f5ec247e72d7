import { setTimeout as delay } from 'node:timers/promises'
import { dump } from 'js-yaml'
import type { EventName } from '../events/catalogue.ts'
import { API_VERSION } from '../kinds/definition.ts'
import { uuidv7 } from '../lib/ids.ts'
import { holdsLease } from '../store/leases.ts'
import { appendEvents } from '../store/log.ts'
import { type GateToPropose, gatesToPropose, markProposed } from '../store/queries/gate-proposals.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { fullName } from './branch-names.ts'
import type { ProposalRepository } from './ports.ts'
import type { Proposals } from './proposals.ts'

const WHO = { name: 'Stateward', email: 'controller@stateward.dev' }
/** The log moves often, gates open rarely: one look answers all that came meanwhile. */
const GATHER_MS = 100
const RETRY_MS = 30_000

export interface GateProposalsOptions {
  readonly store: Store
  /** Only the holder of this lease writes to Git. */
  readonly lease: string
  readonly repository: ProposalRepository
  /** The commit the source stands at: what the branch starts from. */
  readonly head: () => Promise<string>
  /** The source's directory in the repository, `.` = its root. */
  readonly path: string
  /** Where the branch becomes a proposal, as any other. */
  readonly opening: Proposals['opening']
  /** Brings a branch to where people merge it; nothing to do for a local repository. */
  readonly publish: (ref: string) => Promise<void>
  readonly environmentOf: (namespace: string) => { readonly id: string }
}

export interface GateProposals {
  /** A gate may have opened. */
  nudge(): void
  stop(): Promise<void>
}

/**
 * Proposes the decision of gates of mode pullRequest: a branch from the head of the protected ref with one document, whose
 * merge is the decision. Looks at what is open and has no branch, so a crash in between only means that it looks again.
 */
export function createGateProposals(options: GateProposalsOptions): GateProposals {
  const { store } = options
  const stopping = new AbortController()
  let working: Promise<void> | null = null
  let again = false

  async function work(): Promise<void> {
    do {
      await pause(GATHER_MS)
      again = false
      if (stopping.signal.aborted) return
      try {
        await proposeAll()
      } catch (error) {
        store.log.warn({ err: error }, 'a decision could not be proposed; it will be tried again')
        await pause(RETRY_MS)
        again = true
      }
    } while (again)
  }

  async function proposeAll(): Promise<void> {
    const gates = await gatesToPropose(store.engine, 100)
    if (gates.length === 0 || !(await holdsLease(store.engine, store, options.lease))) return
    for (const gate of gates) await proposeOne(options, gate)
    again ||= gates.length === 100
  }

  const pause = (ms: number) => delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)

  return {
    nudge() {
      again = true
      working ??= work().finally(() => {
        working = null
      })
    },
    async stop() {
      stopping.abort()
      await working
    },
  }
}

async function proposeOne(options: GateProposalsOptions, gate: GateToPropose): Promise<void> {
  const { store, repository } = options
  const now = store.clock.now()
  const branch = fullName(gate.proposal)
  const name = gate.proposal.slice(gate.proposal.lastIndexOf('/') + 1)
  const folder = options.path === '.' ? '' : `${options.path}/`
  const title = `Approve ${gate.path} of run ${gate.run}`
  const commit = await options.opening(async () => {
    const base = await options.head()
    const head = await repository.writeCommit({
      ref: branch,
      // A branch that a crash left behind is made anew.
      parent: base,
      expected: await repository.resolve(branch),
      files: new Map([[`${folder}approvals/${name}.yaml`, documentOf(gate, name)]]),
      message: `${title}\n\n${gate.message}\n\nMerging this is the decision.\n\nStateward-Run: ${gate.run_id}\nStateward-Step: ${gate.path}\n`,
      author: WHO,
      committer: WHO,
      time: now,
    })
    await options.publish(branch)
    const about = { runId: gate.run_id, correlationId: gate.correlation_id, replaces: true }
    const opened = { ref: branch, base, head, title, description: gate.message, author: 'system', ...about }
    return { result: head, opened }
  })
  await transact(store, async (tx) => {
    await markProposed(tx, gate.step_id, now)
    await appendEvents(tx, store, [
      {
        event_id: uuidv7(now.getTime()),
        event_name: 'stateward.run.gate.proposed' satisfies EventName,
        occurred_at: now,
        env_id: options.environmentOf(gate.namespace).id,
        actor: 'system',
        correlation_id: gate.correlation_id,
        run_id: gate.run_id,
        step_id: gate.step_id,
        resource: { type: 'Run', id: gate.run_id },
        data: { run: gate.run, step: gate.path, branch: gate.proposal, commit },
      },
    ])
  })
}

/** What a person reads before he merges it. */
function documentOf(gate: GateToPropose, name: string): string {
  const question = gate.message.split('\n').map((line) => `# ${line}`)
  const answer =
    gate.input_schema === null
      ? []
      : [`# It asks for an answer: add spec.input, which has to fit ${JSON.stringify(gate.input_schema)}`]
  const document = {
    apiVersion: API_VERSION,
    kind: 'Approval',
    metadata: { name, namespace: gate.namespace },
    spec: { runRef: { name: gate.run }, step: gate.path, inputDigest: gate.input_digest, decision: 'approve' },
  }
  return `${[...question, ...answer].join('\n')}\n# Merging this approves; to say no, write decision: reject, or close the run: stateward reject ${gate.run} ${gate.path}\n${dump(document)}`
}
