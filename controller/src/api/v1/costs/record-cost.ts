import Type from 'typebox'
import { charge } from '../../../budgets/charge.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { parseUsd } from '../../../lib/usd.ts'
import { appendEvents } from '../../../store/log.ts'
import { taskById } from '../../../store/queries/tasks.ts'
import type { Principal } from '../../auth/principal.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Name, Nullable, only, Time, Uuid } from '../schemas.ts'
import { Cost, costDto, sampleCost } from './cost-dto.ts'

const Word = (description: string) =>
  Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 253, description })))
const Tokens = Type.Integer({ minimum: 0, maximum: 1_000_000_000_000, default: 0 })

export const recordCost = route({
  operation: 'recordCost',
  method: 'POST',
  path: '/api/v1/costs',
  aliases: ['/costs'],
  tag: 'costs',
  access: 'costs.write',
  summary: 'Report what was spent',
  description:
    'A row of the ledger, which is never changed. What is reported together with a task (`PATCH /api/v1/tasks/{task_id}`) is in the sums by itself. An agent reports for itself alone, and its own tasks. Without `project` it is that of the agent; without `run_id` that of the task.',
  body: only(
    {
      amount_usd: Type.Union([Type.String({ maxLength: 20 }), Type.Number()], {
        description: 'US dollars, not negative, at most nine decimals: "0.00015"',
      }),
      namespace: Type.Optional(Name),
      project: Type.Optional(Nullable(Name)),
      agent: Type.Optional(Nullable(Name)),
      provider: Word('who is paid'),
      model: Word('what was used'),
      task_id: Type.Optional(Nullable(Uuid)),
      run_id: Type.Optional(Nullable(Uuid)),
      ticket: Word('a name of the work graph'),
      input_tokens: Tokens,
      output_tokens: Tokens,
      occurred_at: Type.Optional({ ...Time, description: 'when it was spent; default: now' }),
      note: Type.Optional(Nullable(Type.String({ maxLength: 1000 }))),
    },
    { title: 'CostReport' },
  ),
  answers: { 201: Cost },
  example: {
    body: {
      amount_usd: '0.0135',
      provider: 'anthropic',
      model: 'claude-sonnet',
      task_id: SAMPLE.task,
      input_tokens: 2000,
      output_tokens: 500,
    },
    answer: sampleCost,
  },
  async transact(tx, { body, principal, caller }, { store, clock }) {
    const amount = parseUsd(body.amount_usd)
    if (amount === null)
      throw fail('SW_VALIDATION_FAILED', `${String(body.amount_usd)} is no amount of US dollars`, {
        details: {
          violations: [
            {
              path: 'body/amount_usd',
              message: 'must be a decimal number, not negative, at most 9 decimals',
              keyword: 'format',
            },
          ],
        },
      })
    const { namespace, agent } = spender(principal, body)
    const task = body.task_id == null ? null : await taskById(tx, body.task_id)
    const isOthers = task !== null && (task.namespace !== namespace || task.agent !== agent)
    if (principal.type === 'agent' && body.task_id != null && (task === null || isOthers))
      throw fail('SW_NOT_FOUND', `there is no task ${body.task_id} of agent ${namespace}/${agent}`)
    const { amount_usd: _, occurred_at: at, ...said } = body
    const { row, events } = await charge(
      tx,
      {
        namespace,
        agent,
        project: said.project ?? null,
        provider: said.provider ?? null,
        model: said.model ?? null,
        task_id: said.task_id ?? null,
        run_id: said.run_id ?? task?.run_id ?? null,
        step: task?.path ?? null,
        tool: null,
        ticket: said.ticket ?? null,
        tokens: said.input_tokens + said.output_tokens,
        input_tokens: said.input_tokens,
        output_tokens: said.output_tokens,
        note: said.note ?? null,
        amount,
        occurred_at: at === undefined ? clock.now() : new Date(at),
        recorded_by: caller.actor,
        correlation_id: caller.correlationId,
      },
      clock.now(),
    )
    await appendEvents(tx, store, [...events])
    return costDto(row)
  },
})

/** An agent speaks for itself. */
function spender(
  principal: Principal,
  body: { readonly namespace?: string | undefined; readonly agent?: string | null | undefined },
): { readonly namespace: string; readonly agent: string | null } {
  if (principal.type !== 'agent') return { namespace: body.namespace ?? 'default', agent: body.agent ?? null }
  const { namespace, agent, name } = principal
  if ((body.agent ?? agent) !== agent || (body.namespace ?? namespace) !== namespace)
    throw fail('SW_FORBIDDEN', `${name} reports what it spent itself, and nobody else's`)
  return { namespace, agent }
}
