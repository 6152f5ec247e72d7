import Type from 'typebox'
import { partsOfTask } from '../../../store/queries/task-parts.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Reference } from '../schemas.ts'
import { partDto, sampleTask, TaskWithParts, taskDto } from '../task-dto.ts'
import { findTask } from './task-caller.ts'

const SHOWN_PARTS = 100

export const readTask = route({
  operation: 'readTask',
  method: 'GET',
  path: '/api/v1/tasks/{task_id}',
  aliases: ['/tasks/{task_id}'],
  tag: 'tasks',
  access: 'tasks.read',
  summary: 'Read a task, with the results of its parts',
  description: '`{task_id}` may be the beginning of an id. An agent sees its own tasks, and the parts of them.',
  params: Type.Object({ task_id: Reference }),
  answers: { 200: TaskWithParts },
  example: { params: { task_id: SAMPLE.task }, answer: { ...sampleTask, parts: [] } },
  async answer({ params, principal }, context) {
    const task = await findTask(context, params.task_id, principal)
    const parts = task.parts_total === 0 ? [] : await partsOfTask(context.store.reader, task.task_id, SHOWN_PARTS)
    return { ...taskDto(task), parts: parts.map(partDto) }
  },
})
