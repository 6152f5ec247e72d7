import Type from 'typebox'
import { runsById, stepsOfRun } from '../../../store/queries/runs-read.ts'
import type { ApiContext } from '../../context.ts'
import { route } from '../../http/route.ts'
import { runOf } from '../runs/run-params.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Name, Nullable, only, Uuid } from '../schemas.ts'

const Outcome = Type.Object(
  {
    run_id: Uuid,
    run: Type.String({ description: 'name of the run that the action is' }),
    action: Type.String(),
    status: Type.Enum(['created', 'running', 'completed', 'failed', 'cancelled']),
    output: Type.Unknown({ description: 'null unless it is completed' }),
    error: Nullable(Type.Unsafe<object>({ ...JsonMap, description: '{code, category, message, retryable}' })),
    correlation_id: Type.String(),
  },
  { title: 'ActionOutcome' },
)

export const executeAction = route({
  operation: 'executeAction',
  method: 'POST',
  path: '/api/internal/actions/execute',
  tag: 'runtime',
  access: 'actions.execute',
  summary: 'Call one tool now',
  description:
    'The call is a run of one step: durable before it begins, its effect recorded, its log kept. The answer waits for its end; 202 when it goes on after that. What the tool says is data, also when it has failed.',
  body: only(
    {
      action: Type.String({ minLength: 1, maxLength: 253, description: 'name or alias of a tool' }),
      params: Type.Optional(JsonMap),
      namespace: Type.Optional(Name),
      wait_seconds: Type.Number({ minimum: 0, maximum: 30, default: 10 }),
    },
    { title: 'ExecuteActionRequest' },
  ),
  answers: { 200: Outcome, 202: Outcome },
  example: {
    body: { action: 'http.call', params: { url: 'https://example.com' }, wait_seconds: 10 },
    answer: {
      run_id: SAMPLE.run,
      run: 'inline-k3q9zt',
      action: 'http.call',
      status: 'completed',
      output: { status: 200 },
      error: null,
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ body, caller, correlationId, signal, status }, context) {
    const { runId } = await context.services.runs.createInline(
      {
        namespace: body.namespace ?? 'default',
        name: null,
        plan: [{ skill: body.action, params: body.params ?? {} }],
        inputs: {},
        priority: 0,
        budgetCents: null,
      },
      caller,
    )
    await untilEnded(context, runId, body.wait_seconds * 1000, signal)
    const run = await runOf(context, runId)
    if (run.completed_at === null) status(202)
    const [step] = await stepsOfRun(context.store.engine, runId, { values: true, allAttempts: false })
    return {
      run_id: runId,
      run: run.name,
      action: body.action,
      status: run.status,
      output: step?.status === 'completed' ? step.outputs : null,
      error: step?.error ?? run.error,
      correlation_id: correlationId,
    }
  },
})

/** Resolves when a run has ended, or the time or the caller is gone. */
async function untilEnded({ store, tail }: ApiContext, runId: string, ms: number, signal: AbortSignal): Promise<void> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(ms)])
  while (!until.aborted) {
    // Asked for before reading: an end that is logged meanwhile is waited for no longer than this.
    const { head } = tail
    const [run] = await runsById(store.engine, [runId])
    if (run === undefined || run.completed_at !== null) return
    await tail.next(head, until)
  }
}
