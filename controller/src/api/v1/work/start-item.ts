import Type from 'typebox'
import type { JsonObject } from '../../../lib/json.ts'
import { startItem } from '../../../work/start-item.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, optionalBody } from '../schemas.ts'
import { callerOfTask } from '../tasks/task-caller.ts'
import { findItem, ITEM_REFERENCE, itemAfter, workCaller, workDeps } from './find-item.ts'
import { itemDto, sampleItem, Version, WorkItem } from './item-dto.ts'
import { ItemParams, Scope } from './read-item.ts'

export const startWorkItem = route({
  operation: 'startWorkItem',
  method: 'POST',
  path: '/api/v1/work-items/{item}/start',
  aliases: ['/work-items/{item}/start'],
  tag: 'work',
  access: 'tasks.write',
  summary: 'Have an agent do an item',
  description: `Makes a task of the agent it is assigned to, else of the one that can and has the least to do. Left out, the prompt is what the item says; its fields are among the inputs. When the task has ended, the item is done, failed, or given back, with what came of it. ${ITEM_REFERENCE}`,
  params: ItemParams,
  query: Scope,
  body: optionalBody({
    prompt: Type.Optional(Type.String({ minLength: 1, maxLength: 16_000 })),
    inputs: Type.Optional(JsonMap),
    version: Type.Optional(Version),
  }),
  answers: { 202: WorkItem },
  example: {
    params: { item: 'task-k3q9zt' },
    body: { prompt: 'Find out why alerts come twice.' },
    answer: { ...sampleItem('task', 'in_progress', {}), assignee: 'agent:default/sre', task_id: SAMPLE.task },
  },
  async transact(tx, { params, query, body, caller, principal, committed }, context) {
    const { tasks } = context.services
    const item = await findItem(tx, params.item, query.namespace ?? null)
    const { made, lastSeq } = await startItem(
      tx,
      workDeps(context),
      { itemId: item.item_id, version: body?.version ?? null },
      {
        prompt: body?.prompt ?? null,
        // The body came as JSON, so its members are JSON.
        inputs: (body?.inputs ?? {}) as JsonObject,
        create: (task) => tasks.create(tx, { ...task, ...PLAIN }, callerOfTask(principal, caller)),
      },
      workCaller(caller, principal),
    )
    committed(() => {
      tasks.announce(made)
      context.nudge(lastSeq)
    })
    return itemDto(await itemAfter(tx, item.item_id))
  },
})

/** What a task is asked with when nothing else is said. */
const PLAIN = {
  outputSchema: null,
  deadline: null,
  parentTaskId: null,
  maxAttempts: 3,
  retryDelayMs: 0,
  expectedRows: null,
  keepWorkspace: false,
}
