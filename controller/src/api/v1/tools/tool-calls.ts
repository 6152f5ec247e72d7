import Type, { type Static } from 'typebox'
import { ERRORS, type ErrorRef, fail } from '../../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'
import { pageToolCalls, TOOL_CALL_STATES, type ToolCallRow, toolCallById } from '../../../store/queries/tool-calls.ts'
import type { Principal } from '../../auth/principal.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { JsonMap, Name, NamespaceQuery, only, optionalBody, PageQuery, pageOf, Uuid } from '../schemas.ts'
import { ToolParams } from './read-tools.ts'
import { sampleToolCall, ToolCall, toolCallDto } from './tool-call-dto.ts'

const WaitSeconds = Type.Number({ minimum: 0, maximum: 30, default: 10 })
const CallParams = Type.Object({ call: Uuid })

/** An agent sees its own calls. */
const agentOf = (principal: Principal): string | null => (principal.type === 'agent' ? principal.agent : null)

export const callTool = route({
  operation: 'callTool',
  method: 'POST',
  path: '/api/v1/tools/{tool}/call',
  tag: 'tools',
  access: 'tools.call',
  summary: 'Call a tool',
  description:
    'Outside of any run, with everything a step has: the input is checked, the capabilities of an agent and the policies are asked, money is kept, and a record is there before the tool is called. The answer waits for the end; 202 while the call goes on, or waits for approvals. What the tool says is data, also when it failed; a call that is not allowed answers with an error. The same `call_id` again answers the same call.',
  params: ToolParams,
  body: only(
    {
      input: Type.Optional(JsonMap),
      namespace: Type.Optional(Name),
      call_id: Type.Optional({ ...Uuid, description: 'chosen by the caller, so that it may ask again' }),
      wait_seconds: WaitSeconds,
    },
    { title: 'CallToolRequest' },
  ),
  bodyLimit: 1_048_576,
  answers: { 200: ToolCall, 202: ToolCall },
  example: {
    params: { tool: 'fs.read' },
    body: { input: { path: 'notes.txt' }, wait_seconds: 10 },
    answer: sampleToolCall,
  },
  async answer({ params, body, principal, caller, correlationId, signal, status }, { services }) {
    const namespace = principal.type === 'agent' ? principal.namespace : (body.namespace ?? 'default')
    if (body.namespace !== undefined && body.namespace !== namespace)
      throw fail('SW_FORBIDDEN', `${principal.name} calls tools of its own namespace only`)
    const id = body.call_id ?? caller.operation
    const row = await services.tools.invoke(
      {
        ...(id === undefined ? {} : { id }),
        tool: params.tool,
        // The body came as JSON, so its members are JSON.
        input: (body.input ?? {}) as JsonObject,
        namespace,
        actor: caller.actor,
        ...(caller.roles === undefined ? {} : { roles: caller.roles }),
        agent: agentOf(principal),
        run: null,
        correlationId,
      },
      { waitMs: body.wait_seconds * 1000, signal },
    )
    return answered(row, status)
  },
})

/** 202 while it goes on; an error when it was not allowed. */
function answered(row: ToolCallRow, status: (code: number) => void) {
  if (row.state === 'refused' && row.error !== null) {
    const { ref, message, remedy } = row.error as { ref: string; message: string; remedy: string }
    const details = { ...(row.error['details'] as JsonObject | undefined), call_id: row.id }
    throw fail((ref in ERRORS ? ref : 'SW_FORBIDDEN') as ErrorRef, message, { remedy, details })
  }
  if (row.ended_at === null) status(202)
  return toolCallDto(row)
}

export const listToolCalls = route({
  operation: 'listToolCalls',
  method: 'GET',
  path: '/api/v1/tool-calls',
  tag: 'tools',
  access: 'tasks.read',
  summary: 'List calls of tools outside of steps, the newest first',
  description: 'An agent sees its own. What the steps of a run called, its steps say.',
  query: only({
    ...PageQuery,
    ...NamespaceQuery,
    tool: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
    state: Type.Optional(Type.Enum([...TOOL_CALL_STATES])),
    run_id: Type.Optional(Uuid),
  }),
  answers: { 200: pageOf(ToolCall) },
  example: { query: { state: 'waiting' }, answer: samplePage(sampleToolCall) },
  async answer({ query, principal, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const rows = await pageToolCalls(reader, {
      namespace: principal.type === 'agent' ? principal.namespace : (query.namespace ?? null),
      tool: query.tool ?? null,
      state: query.state ?? null,
      runId: query.run_id ?? null,
      agent: agentOf(principal),
      after: position === null ? null : { createdAt: position[0], id: position[1] },
      limit: query.limit + 1,
    })
    return pageBody(rows, { limit: query.limit, correlationId }, (last) => [last.created_at, last.id], toolCallDto)
  },
})

export const readToolCall = route({
  operation: 'readToolCall',
  method: 'GET',
  path: '/api/v1/tool-calls/{call}',
  tag: 'tools',
  access: 'tasks.read',
  summary: 'Read a call of a tool',
  params: CallParams,
  answers: { 200: ToolCall },
  example: { params: { call: sampleToolCall.id }, answer: sampleToolCall },
  async answer({ params, principal }, { store: { reader } }) {
    const row = await toolCallById(reader, params.call)
    const isOwn =
      principal.type !== 'agent' || (row?.agent === principal.agent && row.namespace === principal.namespace)
    if (row === null || !isOwn) throw fail('SW_NOT_FOUND', `there is no call ${params.call}`)
    return toolCallDto(row)
  },
})

const UnknownAnswer = only(
  {
    answer: Type.Enum(['retry', 'done'], {
      description: 'retry: it took no effect, call the tool again. done: it took effect, go on with the output',
    }),
    output: Type.Optional(
      Type.Unknown({ description: 'with done: what the tool would have answered; null when left out' }),
    ),
  },
  { description: 'of a call whose end a crash hid: what became of it' },
)

function answerOf(input: Static<typeof UnknownAnswer> | undefined) {
  if (input === undefined) return {}
  if (input.answer === 'done') return { answer: { answer: 'done' as const, output: (input.output ?? null) as Json } }
  if (input.output !== undefined) throw fail('SW_VALIDATION_FAILED', 'retry takes no output: the tool is called again')
  return { answer: { answer: 'retry' as const } }
}

function decision(word: 'approve' | 'reject', summary: string, description: string) {
  return route({
    operation: `${word}ToolCall`,
    method: 'POST',
    path: `/api/v1/tool-calls/{call}/${word}`,
    tag: 'tools',
    access: 'gates.decide',
    summary,
    description,
    params: CallParams,
    body: optionalBody({
      reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
      ...(word === 'approve' ? { input: Type.Optional(UnknownAnswer) } : {}),
    }),
    answers: { 200: ToolCall, 202: ToolCall },
    example: {
      params: { call: sampleToolCall.id },
      body: { reason: 'looked at it' },
      answer: { ...sampleToolCall, approved_by: ['user:grace'], ended_at: SAMPLE.later },
    },
    async answer({ params, body, caller, signal, status }, { services }) {
      const row = await services.tools.decide(
        params.call,
        {
          approved: word === 'approve',
          actor: caller.actor,
          reason: body?.reason ?? null,
          ...answerOf((body as { readonly input?: Static<typeof UnknownAnswer> } | undefined)?.input),
        },
        { waitMs: 10_000, signal },
      )
      if (row.ended_at === null) status(202)
      return toolCallDto(row)
    },
  })
}

export const approveToolCall = decision(
  'approve',
  'Approve a call of a tool that waits',
  'With the last approval that is asked for the tool is called. Nobody approves his own call, and an agent none. A call of an agent that is a model whose end a crash hid (state unknown, no ended_at) waits for `input`: the answer retry or done.',
)
export const rejectToolCall = decision(
  'reject',
  'Reject a call of a tool that waits',
  'It is refused. One whose end a crash hid is given up: the task of its agent fails.',
)
