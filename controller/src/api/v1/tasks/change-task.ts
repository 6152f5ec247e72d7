import Type from 'typebox'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Name, Nullable, only, optionalBody, Time, Uuid } from '../schemas.ts'
import { sampleTask, TaskRecord, taskDto } from '../task-dto.ts'
import { callerOfTask } from './task-caller.ts'

const TaskParams = Type.Object({ task_id: Uuid })
const queued = {
  ...sampleTask,
  status: 'queued' as const,
  output: null,
  instance_id: null,
  leased_at: null,
  completed_at: null,
}

export const cancelTask = route({
  operation: 'cancelTask',
  method: 'POST',
  path: '/api/v1/tasks/{task_id}/cancel',
  aliases: ['/tasks/{task_id}/cancel'],
  tag: 'tasks',
  access: 'tasks.write',
  summary: 'Cancel a task',
  description:
    'Its parts are cancelled, too. 409 when it has ended otherwise, or belongs to a run: cancel the run then.',
  params: TaskParams,
  answers: { 200: TaskRecord },
  example: { params: { task_id: SAMPLE.task }, answer: { ...sampleTask, status: 'cancelled', output: null } },
  async transact(tx, { params, principal, caller, committed }, context) {
    const changed = await context.services.tasks.cancel(tx, params.task_id, callerOfTask(principal, caller))
    committed(() => context.services.tasks.announce(changed))
    return taskDto(changed.task)
  },
})

export const retryTask = route({
  operation: 'retryTask',
  method: 'POST',
  path: '/api/v1/tasks/{task_id}/retry',
  aliases: ['/tasks/{task_id}/retry'],
  tag: 'tasks',
  access: 'tasks.write',
  summary: 'Ask again for what failed or was cancelled',
  description:
    'A task of its own, of the same agent or of another one, since what ended stays ended. 409 when it was asked again before.',
  params: TaskParams,
  body: optionalBody({ agent: Type.Optional(Nullable(Name)), deadline: Type.Optional(Nullable(Time)) }),
  answers: { 201: TaskRecord },
  example: {
    params: { task_id: SAMPLE.task },
    body: { agent: 'sre' },
    answer: { ...queued, task_id: SAMPLE.run, retry_of: SAMPLE.task },
  },
  async transact(tx, { params, body, principal, caller, committed }, context) {
    const request = {
      taskId: params.task_id,
      agent: body?.agent ?? null,
      deadline: body?.deadline == null ? null : new Date(body.deadline),
    }
    const changed = await context.services.tasks.retry(tx, request, callerOfTask(principal, caller))
    committed(() => context.services.tasks.announce(changed))
    return taskDto(changed.task)
  },
})

export const assignTask = route({
  operation: 'assignTask',
  method: 'POST',
  path: '/api/v1/tasks/{task_id}/assign',
  aliases: ['/tasks/{task_id}/assign'],
  tag: 'tasks',
  access: 'tasks.write',
  summary: 'Give an open task to another agent',
  description: 'Whoever works on it is not listened to any more: the task goes on as its next attempt.',
  params: TaskParams,
  body: only({ agent: Name }, { title: 'AssignTaskRequest' }),
  answers: { 200: TaskRecord },
  example: { params: { task_id: SAMPLE.task }, body: { agent: 'db' }, answer: { ...queued, agent: 'db' } },
  async transact(tx, { params, body, principal, caller, committed }, context) {
    const request = { taskId: params.task_id, agent: body.agent }
    const changed = await context.services.tasks.assign(tx, request, callerOfTask(principal, caller))
    committed(() => context.services.tasks.announce(changed))
    return taskDto(changed.task)
  },
})
