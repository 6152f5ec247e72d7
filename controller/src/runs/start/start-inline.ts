import type { CompiledPlan } from '../../blueprints/compiled-plan.ts'
import { allSteps, compileInlinePlan } from '../../blueprints/inline-plan.ts'
import { planDigest } from '../../blueprints/plan-digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { uuidOf } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Blueprints, Caller, ToolRunner } from '../ports.ts'
import { capped } from './affordable.ts'
import { type InsertRunDeps, insertRunOf } from './insert-run.ts'

export interface StartInlineDeps extends InsertRunDeps {
  readonly blueprints: Blueprints
  readonly tools: Pick<ToolRunner, 'find'>
  /** Whether runs of a namespace may bring their own plan. */
  readonly allowsInlinePlans: (namespace: string) => boolean
  readonly hasAgent: (namespace: string, name: string) => boolean
  /** The commit that is in force; null before the first one was accepted. */
  readonly revision: () => Promise<string | null>
}

export interface StartInlineRequest {
  readonly namespace: string
  /** Null = a name is made. */
  readonly name: string | null
  /** Steps of a blueprint, or `{skill, params}`. */
  readonly plan: readonly unknown[]
  readonly inputs: JsonObject
  readonly priority: number
  /** What the run may cost in all, in cents; null = only what budgets say limits it. */
  readonly budgetCents: number | null
}

/**
 * Starts a run that brings its own plan: compiled like a blueprint's, stored under its digest, pinned to it and to the
 * commit in force. SW_INLINE_PLANS_DENIED: the environment allows none. SW_VALIDATION_FAILED: everything that is wrong with
 * the plan. SW_OVER_BUDGET: it would cost more than it may. SW_CONFLICT: the name is taken. SW_NOT_READY: no commit yet.
 */
export async function startInlineRun(
  deps: StartInlineDeps,
  request: StartInlineRequest,
  caller: Caller,
): Promise<{ readonly runId: string }> {
  const { namespace } = request
  if (!deps.allowsInlinePlans(namespace))
    throw fail('SW_INLINE_PLANS_DENIED', `environment ${namespace} allows no plans that runs bring along`)
  const revision = await deps.revision()
  if (revision === null) throw fail('SW_NOT_READY', 'the first revision is not accepted yet')
  const free = compiled(deps, request)
  const plan = request.budgetCents === null ? free.plan : capped(free.plan, request.budgetCents)
  const digest = request.budgetCents === null ? free.digest : planDigest(plan)
  const blueprint = {
    // Runs of one plan belong together, as those of one blueprint do.
    uid: uuidOf(`inline/${namespace}/${digest}`),
    namespace,
    name: '',
    plan,
    digest,
    revision,
    suspended: false,
  }
  return insertRunOf(deps, blueprint, { ...request, trigger: 'inline' }, caller)
}

function compiled(deps: StartInlineDeps, request: StartInlineRequest) {
  const { namespace, plan, inputs } = request
  const result = compileInlinePlan(
    { namespace, plan, inputs: Object.keys(inputs) },
    {
      toolSchema: (name) => deps.tools.find(name, namespace)?.inputSchema ?? null,
      blueprint(name) {
        const called = deps.blueprints.find(namespace, name)
        return called === null ? null : { ok: true, plan: called.plan, digest: called.digest }
      },
    },
  )
  const problems = result.ok ? unknownAgents(deps, result.plan, namespace) : result.problems
  if (result.ok && problems.length === 0) return result
  const violations = problems.map(({ code, pointer, message, hint }) => ({
    path: `body${pointer}`,
    message,
    hint,
    code,
  }))
  // A sound plan that is only too long has a word of its own.
  const isTooLong = problems.every(({ code }) => code === 'SW_TOO_MANY_STEPS')
  throw fail(
    isTooLong ? 'SW_MAX_STEPS_EXCEEDED' : 'SW_VALIDATION_FAILED',
    `the plan is not sound: ${violations[0]!.path}: ${violations[0]!.message}`,
    {
      details: { violations },
    },
  )
}

function unknownAgents(deps: StartInlineDeps, plan: CompiledPlan, namespace: string) {
  return allSteps(plan.steps).flatMap((step) =>
    step.kind !== 'agent_task' || deps.hasAgent(namespace, step.agent)
      ? []
      : [
          {
            code: 'SW_UNKNOWN_NAME',
            pointer: step.place === null ? '/plan' : `${step.place}/agent`,
            message: `there is no agent ${step.agent} in namespace ${namespace}`,
            hint: 'list them: stateward get agents',
          },
        ],
  )
}
