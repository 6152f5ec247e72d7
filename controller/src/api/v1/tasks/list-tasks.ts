import Type, { type Static } from 'typebox'
import { type TaskRow, taskById } from '../../../store/queries/tasks.ts'
import { pageTasks, type TaskPage } from '../../../store/queries/tasks-read.ts'
import type { Principal } from '../../auth/principal.ts'
import type { ApiContext } from '../../context.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { findAgentFor } from '../agents/find-agent.ts'
import { samplePage } from '../samples.ts'
import { Name, NamespaceQuery, only, PageQuery, pageOf, Reference, Uuid } from '../schemas.ts'
import { sampleTask, TASK_STATUSES, TaskRecord, taskDto } from '../task-dto.ts'
import { isOf, noTask } from './task-caller.ts'

const STATUS = TASK_STATUSES.join('|')

const Filters = {
  status: Type.Optional(
    Type.String({
      maxLength: 100,
      pattern: `^(${STATUS})(,(${STATUS}))*$`,
      description: `one of ${TASK_STATUSES.join(', ')}, or several with commas`,
    }),
  ),
  parent_task_id: Type.Optional(Type.String({ format: 'uuid', description: 'only parts of that task' })),
  run_id: Type.Optional(Uuid),
}

export const listTasks = route({
  operation: 'listTasks',
  method: 'GET',
  path: '/api/v1/tasks',
  aliases: ['/tasks'],
  tag: 'tasks',
  access: 'tasks.read',
  summary: 'List tasks, the newest first',
  description: 'An agent sees its own tasks, and the parts of them.',
  query: only({ ...PageQuery, ...NamespaceQuery, agent: Type.Optional(Name), ...Filters }),
  answers: { 200: pageOf(TaskRecord) },
  example: { query: { status: 'queued,leased', limit: 20 }, answer: samplePage(sampleTask) },
  async answer({ query, principal, correlationId }, context) {
    const own = await limitsOf(context, principal, query.parent_task_id ?? null)
    const place = { namespace: query.namespace ?? null, agent: query.agent ?? null, ...own }
    return await pageBodyOf(context, query, place, correlationId)
  },
})

export const listAgentTasks = route({
  operation: 'listAgentTasks',
  method: 'GET',
  path: '/api/v1/agents/{agent}/tasks',
  aliases: ['/agents/{agent}/tasks'],
  tag: 'tasks',
  access: 'tasks.read',
  summary: 'List the tasks of an agent, the newest first',
  description: '`{agent}` is the uid, the `agentId` or the name of the agent.',
  params: Type.Object({ agent: Reference }),
  query: only({ ...PageQuery, ...NamespaceQuery, ...Filters }),
  answers: { 200: pageOf(TaskRecord) },
  example: { params: { agent: 'sre' }, answer: samplePage(sampleTask) },
  async answer({ params, query, principal, correlationId }, context) {
    const agent = await findAgentFor(context, params.agent, query.namespace, principal)
    return await pageBodyOf(context, query, { namespace: agent.namespace, agent: agent.name }, correlationId)
  },
})

/** What an agent may see: its own tasks, or the parts of one of them. */
async function limitsOf({ store }: ApiContext, principal: Principal, parent: string | null) {
  if (principal.type !== 'agent') return {}
  if (parent === null) return { namespace: principal.namespace, agent: principal.agent }
  const task = await taskById(store.reader, parent)
  if (task === null || !isOf(task, principal)) throw noTask(parent)
  return {}
}

type Query = Static<Type.TObject<typeof PageQuery & typeof Filters>>

async function pageBodyOf(
  { store }: ApiContext,
  query: Query,
  place: Pick<TaskPage, 'namespace' | 'agent'>,
  correlationId: string,
) {
  const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
  const rows = await pageTasks(store.reader, {
    ...place,
    // The pattern lets only such words pass.
    statuses: query.status === undefined ? null : (query.status.split(',') as TaskRow['status'][]),
    parent: query.parent_task_id ?? null,
    runId: query.run_id ?? null,
    after: position === null ? null : { createdAt: position[0], taskId: position[1] },
    limit: query.limit + 1,
  })
  return pageBody(rows, { limit: query.limit, correlationId }, (row) => [row.created_at, row.task_id], taskDto)
}
