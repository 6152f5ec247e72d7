import type { EventName } from '../../events/catalogue.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { schemaViolations, violationsText } from '../../lib/json-schema.ts'
import { mayApprove } from '../../plan/approvals/may-approve.ts'
import type { Tx } from '../../store/database.ts'
import type { GateRow } from '../../store/journal.ts'
import { appendEvents } from '../../store/log.ts'
import { type ApprovalRow, approvalsOf, insertApproval, lockGate } from '../../store/queries/gates.ts'
import { type DecisionPayload, insertInboxRow } from '../../store/queries/inbox.ts'
import { getRun, type RunRow } from '../../store/queries/runs.ts'
import { agentsOfRun } from '../../store/queries/tasks-read.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import { type CrashHook, noCrash } from '../crash-points.ts'
import type { Caller, EnvironmentOf, StandingOf } from '../ports.ts'

export interface DecideDeps {
  readonly store: Store
  readonly environmentOf: EnvironmentOf
  readonly standingOf: StandingOf
  /** Agents above some agents, and those below them. Left out = none. */
  readonly lineageOf?: (agents: readonly string[]) => {
    readonly above: readonly string[]
    readonly below: readonly string[]
  }
  /** The run has a message: called after the commit. */
  readonly nudge: (runId: string) => void
  readonly crashPoint?: CrashHook
}

export interface DecisionRequest {
  readonly stepId: string
  readonly decision: 'approve' | 'reject'
  readonly reason: string | null
  /**
   * The answer: the step's output where the gate asks for one by a schema, else its output's `input`; of a quarantined
   * effect, its output. Undefined = none.
   */
  readonly input: Json | undefined
  /** It was merged into the state repo: the only approval that counts for a gate of mode pullRequest. */
  readonly merged?: boolean
}

/**
 * Decides a gate: who decided, the message to the run and the event are one transaction. One rejection is enough; an
 * approval counts when as many as the gate asks for have approved. The first decision wins.
 * SW_NOT_FOUND: no such gate. SW_CONFLICT: decided before, by anybody or by this actor. SW_FORBIDDEN: not his to decide.
 * SW_GATE_INPUT: the answer does not fit the gate's schema, all problems in `details.violations`.
 */
export async function decideGate(deps: DecideDeps, request: DecisionRequest, caller: Caller): Promise<void> {
  const { store, crashPoint = noCrash } = deps
  const runId = await transact(store, async (tx) => {
    const gate = await lockGate(tx, request.stepId)
    if (gate === null) throw fail('SW_NOT_FOUND', `there is no gate ${request.stepId}`)
    const before = await approvalsOf(tx, gate.step_id)
    // Decided by this very request, whose answer was lost.
    if (caller.operation !== undefined && before.some(({ id }) => id === caller.operation)) return gate.run_id
    assertUndecided(gate, before, caller.actor)
    const run = (await getRun(tx, gate.run_id))!
    if (caller.actor.startsWith('agent:')) await assertAgentMayReview(tx, deps, gate, run, caller.actor)
    else assertMayDecide(gate, caller.actor, deps.standingOf)
    if (request.decision === 'approve') {
      assertWay(gate, request)
      assertNotOwn(gate, run, caller.actor)
      assertAnswer(gate, request.input)
    }
    await record(tx, deps, { request, caller, gate, run, before })
    crashPoint('gate.before_commit')
    return gate.run_id
  })
  crashPoint('gate.after_commit')
  deps.nudge(runId)
}

function assertUndecided(gate: GateRow, approvals: readonly ApprovalRow[], actor: string): void {
  const rejection = approvals.find(({ decision }) => decision === 'reject')
  const decided = rejection?.actor ?? (approvals.length >= gate.min_approvals ? approvals.at(-1)?.actor : undefined)
  if (gate.state !== 'waiting' || decided !== undefined) {
    const how = gate.state !== 'waiting' ? gate.state : rejection === undefined ? 'approved' : 'rejected'
    throw fail('SW_CONFLICT', `gate ${gate.path} was ${how} before${decided === undefined ? '' : ` by ${decided}`}`, {
      details: { state: how },
    })
  }
  if (approvals.some((approval) => approval.actor === actor))
    throw fail('SW_CONFLICT', `${actor} has approved gate ${gate.path} already`)
}

function assertMayDecide(gate: GateRow, actor: string, standingOf: StandingOf): void {
  if (gate.approvers.length === 0) return
  const { roles, teams } = standingOf(actor)
  const names = new Set([
    actor,
    `principal:${actor}`,
    // A person may be named without the word that says so.
    `principal:${actor.replace(/^user:/, '')}`,
    ...roles.map((role) => `role:${role}`),
    ...teams.map((team) => `team:${team}`),
  ])
  if (gate.approvers.some((approver) => names.has(approver))) return
  throw fail('SW_FORBIDDEN', `${actor} may not decide gate ${gate.path}: it asks for ${gate.approvers.join(' or ')}`)
}

/**
 * Reviewing a result: an agent counts at a gate of people that names it, or that names `parent` and it stands above those who
 * worked on the run. Who worked on it, or stands below one who did, never counts; nor does an agent of another namespace.
 */
async function assertAgentMayReview(
  tx: Tx,
  deps: DecideDeps,
  gate: GateRow,
  run: RunRow,
  actor: string,
): Promise<void> {
  if (gate.mode !== 'manual')
    throw fail('SW_FORBIDDEN', `${actor} is an agent, and gate ${gate.path} of mode ${gate.mode} asks people`)
  if (!actor.startsWith(`agent:${run.namespace}/`))
    throw fail('SW_FORBIDDEN', `${actor} is an agent of another namespace than the run`)
  const workers = (await agentsOfRun(tx, run.run_id)).map((agent) => `agent:${run.namespace}/${agent}`)
  if (run.actor.startsWith('agent:')) workers.push(run.actor)
  const { above, below } = deps.lineageOf?.(workers) ?? { above: [], below: [] }
  const ruling = mayApprove(
    { principal: actor, roles: [], teams: [] },
    { fromAnyOf: gate.approvers, purpose: 'result', selfApproval: gate.self_approval },
    { authors: [run.actor], members: [...workers, ...below], parents: above },
  )
  if (!ruling.allowed) throw fail('SW_FORBIDDEN', `${actor} may not decide gate ${gate.path}: ${ruling.why}`)
}

/** Rejecting is possible either way. */
function assertWay(gate: GateRow, request: DecisionRequest): void {
  if (gate.mode !== 'pullRequest' || request.merged === true) return
  throw fail('SW_CONFLICT', `gate ${gate.path} is approved by a merge, not by a command`, {
    remedy: `merge branch ${gate.proposal} into the branch of the source`,
    details: { proposal: gate.proposal },
  })
}

/** Rejecting what one has started is always possible: that is cancelling it. */
function assertNotOwn(gate: GateRow, run: RunRow, actor: string): void {
  if (gate.self_approval || run.actor !== actor) return
  throw fail('SW_FORBIDDEN', `${actor} started the run, and gate ${gate.path} asks for somebody else`, {
    remedy: 'let somebody else approve it',
  })
}

function assertAnswer(gate: GateRow, input: Json | undefined): void {
  const schema = gate.input_schema as JsonObject | null
  if (schema === null) return
  const found =
    input === undefined
      ? [{ pointer: '', message: 'is missing: the gate asks for an answer' }]
      : schemaViolations(schema, input)
  if (found.length === 0) return
  throw fail('SW_GATE_INPUT', `the answer does not fit gate ${gate.path}: ${violationsText(found)}`, {
    details: { violations: found.map(({ pointer, message }) => ({ path: `body/input${pointer}`, message })), schema },
  })
}

interface Decided {
  readonly request: DecisionRequest
  readonly caller: Caller
  readonly gate: GateRow
  readonly run: RunRow
  readonly before: readonly ApprovalRow[]
}

async function record(tx: Tx, deps: DecideDeps, decided: Decided): Promise<void> {
  const { request, caller, gate, run, before } = decided
  const now = deps.store.clock.now()
  const { decision, reason } = request
  const { input } = request
  await insertApproval(tx, {
    id: caller.operation ?? uuidv7(now.getTime()),
    step_id: gate.step_id,
    decision,
    actor: caller.actor,
    reason,
    input: input ?? null,
    decided_at: now,
  })
  const approvers = [...before.map(({ actor }) => actor), caller.actor]
  const isDecided = decision === 'reject' || approvers.length >= gate.min_approvals
  if (isDecided) {
    const payload: DecisionPayload = { reason, ...(input === undefined ? {} : { input }), approvers }
    await insertInboxRow(tx, {
      id: uuidv7(now.getTime()),
      run_id: gate.run_id,
      kind: decision,
      path: gate.path,
      payload: payload as JsonObject,
      actor: caller.actor,
      created_at: now,
    })
  }
  const verb = decision === 'reject' ? 'rejected' : isDecided ? 'approved' : 'seconded'
  await appendEvents(tx, deps.store, [
    {
      event_id: uuidv7(now.getTime()),
      event_name: `stateward.run.gate.${verb}` satisfies EventName,
      occurred_at: now,
      env_id: deps.environmentOf(run.namespace).id,
      actor: caller.actor,
      correlation_id: run.correlation_id,
      run_id: run.run_id,
      step_id: gate.step_id,
      resource: { type: 'Run', id: run.run_id },
      data: {
        run: run.name,
        step: gate.path,
        mode: gate.mode,
        reason,
        approvals: approvers.length,
        min_approvals: gate.min_approvals,
        request_correlation_id: caller.correlationId,
      },
    },
  ])
}
