import Type from 'typebox'
import type { JsonObject } from '../../../lib/json.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Name, Nullable, only, Time, Uuid } from '../schemas.ts'
import { sampleTask, TaskRecord, taskDto } from '../task-dto.ts'
import { callerOfTask } from './task-caller.ts'

export const createTask = route({
  operation: 'createTask',
  method: 'POST',
  path: '/api/v1/tasks',
  aliases: ['/tasks'],
  tag: 'tasks',
  access: 'tasks.create',
  summary: 'Ask an agent for something',
  description:
    'The task waits in the queue of the agent until an instance takes it. With `parent_task_id` it is a part of another task, which counts it and carries its result; an agent may only create parts of tasks that it holds.',
  body: only(
    {
      namespace: Type.Optional(Name),
      agent: Name,
      prompt: Type.String({ minLength: 1, maxLength: 16_384 }),
      inputs: Type.Optional(JsonMap),
      output_schema: Type.Optional(Nullable(JsonMap)),
      deadline: Type.Optional(Nullable(Time)),
      parent_task_id: Type.Optional(Nullable(Uuid)),
      max_attempts: Type.Integer({
        minimum: 1,
        maximum: 20,
        default: 3,
        description: 'how often it is handed out before it has failed',
      }),
      retry_delay_seconds: Type.Number({
        minimum: 0,
        maximum: 86_400,
        default: 0,
        description: 'between a failure that the agent calls retryable and the next attempt',
      }),
      expected_rows: Type.Optional(
        Nullable(
          Type.Integer({
            minimum: 0,
            maximum: Number.MAX_SAFE_INTEGER,
            description:
              'rows of a database it reads or writes; from 100 on it goes to hosts labelled database=true alone',
          }),
        ),
      ),
      keep_workspace: Type.Boolean({ default: false, description: "whether the task's folder stays after its end" }),
    },
    { title: 'CreateTaskRequest' },
  ),
  answers: { 201: TaskRecord },
  example: {
    body: { agent: 'sre', prompt: 'Why is nginx down on web-1?', inputs: { host: 'web-1' } },
    answer: {
      ...sampleTask,
      status: 'queued',
      output: null,
      instance_id: null,
      usage: { tokens: 0, cost_usd: '0.00' },
      leased_at: null,
      completed_at: null,
      task_id: SAMPLE.task,
    },
  },
  async transact(tx, { body, principal, caller, committed }, context) {
    const request = {
      namespace: body.namespace ?? (principal.type === 'agent' ? principal.namespace : 'default'),
      agent: body.agent,
      prompt: body.prompt,
      // The body came as JSON, so its members are JSON.
      inputs: (body.inputs ?? {}) as JsonObject,
      outputSchema: (body.output_schema ?? null) as JsonObject | null,
      deadline: body.deadline == null ? null : new Date(body.deadline),
      parentTaskId: body.parent_task_id ?? null,
      maxAttempts: body.max_attempts,
      retryDelayMs: Math.round(body.retry_delay_seconds * 1000),
      keepWorkspace: body.keep_workspace,
      expectedRows: body.expected_rows ?? null,
    }
    const changed = await context.services.tasks.create(tx, request, callerOfTask(principal, caller))
    committed(() => context.services.tasks.announce(changed))
    return taskDto(changed.task)
  },
})
