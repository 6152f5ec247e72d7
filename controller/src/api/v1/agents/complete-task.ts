import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import type { Json } from '../../../lib/json.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, only, Uuid } from '../schemas.ts'
import { agentOf, Usage, usageOf } from './own-agent.ts'

export const completeTask = route({
  operation: 'completeTask',
  method: 'PATCH',
  path: '/api/v1/tasks/{task_id}',
  aliases: ['/tasks/{task_id}'],
  tag: 'agents',
  access: 'agent.work',
  summary: 'Report the result of a task',
  description: 'Counts once: the same result again is answered as the first time; 409 when lease or attempt moved on.',
  idempotency: false,
  params: Type.Object({ task_id: Uuid }),
  body: only(
    {
      attempt: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
      status: Type.Enum(['completed', 'failed']),
      output: Type.Optional(Type.Unknown()),
      error: Type.Optional(
        Nullable(
          only({
            code: Type.String({ minLength: 1, maxLength: 100 }),
            message: Type.String({ maxLength: 8192 }),
            retryable: Type.Optional(Type.Boolean()),
          }),
        ),
      ),
      usage: Type.Optional(Usage),
    },
    { title: 'TaskResult' },
  ),
  answers: { 200: Type.Object({ task_id: Uuid, status: Type.String() }, { title: 'TaskStatus' }) },
  example: {
    params: { task_id: SAMPLE.task },
    body: { attempt: 1, status: 'completed', output: { cause: 'nginx was killed' } },
    answer: { task_id: SAMPLE.task, status: 'completed' },
  },
  async answer({ principal, params, body }, { services }) {
    if (body.status === 'failed' && (body.error ?? null) === null) {
      throw fail('SW_VALIDATION_FAILED', 'a failed task says why: error {code, message, retryable}', {
        details: {
          violations: [{ path: 'body/error', message: 'is required when status is failed', keyword: 'required' }],
        },
      })
    }
    return services.agents.complete(agentOf(principal), {
      taskId: params.task_id,
      attempt: body.attempt,
      status: body.status,
      // The body came as JSON, so its members are JSON.
      output: (body.output ?? null) as Json,
      error: body.error == null ? null : { ...body.error, retryable: body.error.retryable ?? false },
      usage: body.usage === undefined ? null : usageOf(body.usage),
    })
  },
})
