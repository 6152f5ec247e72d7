import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { MODEL_CALL_STATES, modelCallById, pageModelCalls } from '../../../store/queries/model-calls.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import type { ModelQuestion } from '../../ports/models.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { Name, NamespaceQuery, only, PageQuery, pageOf, Uuid } from '../schemas.ts'
import {
  callDto,
  ModelCall,
  ModelProviderItem,
  ModelRouting,
  providerDto,
  routingDto,
  sampleCall,
  sampleProvider,
} from './model-dto.ts'

const ModelName = Type.String({ minLength: 1, maxLength: 128 })
const Question = {
  route: Type.Optional({ ...Name, description: 'the ModelRoute; default: the one named default' }),
  provider: Type.Optional(Name),
  model: Type.Optional(ModelName),
  system: Type.Optional(Type.String({ maxLength: 65_536 })),
  task_class: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
  complexity: Type.Optional(
    Type.Enum(['low', 'medium', 'high'], { description: 'left out: worked out of the prompt' }),
  ),
  privacy: Type.Optional(
    Type.Enum(['any', 'localOnly'], { description: 'localOnly: only local providers; default any' }),
  ),
  max_tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
}
const Prompt = Type.String({ minLength: 1, maxLength: 200_000 })
const TEST_PROMPT = 'Say ok.'

const QuestionBody = only({ prompt: Prompt, ...Question }, { title: 'ModelQuestion' })

function questionOf(body: Partial<Static<typeof QuestionBody>>, namespace: string | undefined): ModelQuestion {
  return {
    namespace: namespace ?? 'default',
    prompt: body.prompt ?? TEST_PROMPT,
    system: body.system ?? null,
    route: body.route ?? null,
    provider: body.provider ?? null,
    model: body.model ?? null,
    taskClass: body.task_class ?? null,
    complexity: body.complexity ?? null,
    privacy: body.privacy ?? 'any',
    maxTokens: body.max_tokens ?? null,
  }
}

export const listModels = route({
  operation: 'listModels',
  method: 'GET',
  path: '/api/v1/models',
  aliases: [],
  tag: 'models',
  access: 'read',
  summary: 'List providers of models and their models, in the order they are asked without a route',
  query: only(PageQuery),
  answers: { 200: pageOf(ModelProviderItem) },
  example: { answer: samplePage(sampleProvider) },
  async answer({ query, correlationId }, { services }) {
    const at = query.cursor === undefined ? 0 : Number(decodeCursor(query.cursor, ['number'])[0])
    const all = (await services.models.providers()).map((one, i) => ({ one, at: i + 1 }))
    const page = { limit: query.limit, correlationId }
    return pageBody(
      all.slice(at, at + query.limit + 1),
      page,
      (last) => [last.at],
      ({ one }) => providerDto(one),
    )
  },
})

export const readModelProvider = route({
  operation: 'readModelProvider',
  method: 'GET',
  path: '/api/v1/models/{provider}',
  aliases: [],
  tag: 'models',
  access: 'read',
  summary: 'Read a provider of models',
  params: Type.Object({ provider: Name }),
  answers: { 200: ModelProviderItem },
  example: { params: { provider: 'claude' }, answer: sampleProvider },
  async answer({ params }, { services }) {
    const found = (await services.models.providers()).find(({ name }) => name === params.provider)
    if (found === undefined) throw fail('SW_NOT_FOUND', `there is no ModelProvider ${params.provider}`)
    return providerDto(found)
  },
})

export const routeModel = route({
  operation: 'routeModel',
  method: 'POST',
  path: '/api/v1/models/route',
  aliases: [],
  tag: 'models',
  access: 'read',
  summary: 'Explain which models would be asked, in which order, and why not others',
  description: 'Nobody is asked. Where backends have weights, chance decides anew each time.',
  query: only(NamespaceQuery),
  body: QuestionBody,
  answers: { 200: ModelRouting },
  example: {
    body: { prompt: 'Why does nginx answer 502?' },
    answer: {
      complexity: 'medium',
      route: 'default',
      rule: 'everything else',
      candidates: [
        {
          provider: 'claude',
          provider_type: 'anthropic',
          class: 'cloud',
          model: 'claude-sonnet-4-5-20250929',
          by: 'route default, rule everything else',
          on: null,
          at_most_usd: '0.0615',
        },
      ],
      skipped: [{ provider: 'ollama', model: 'mistral:latest', why: 'it is suspended' }],
      correlation_id: SAMPLE.correlation,
    },
  },
  answer: async ({ body, query, caller, correlationId }, { services }) =>
    routingDto(services.models.explain(questionOf(body, query.namespace), caller), correlationId),
})

const Answered = Type.Object(
  { text: Type.String(), call: ModelCall, correlation_id: Type.String() },
  { title: 'ModelAnswer' },
)

export const askModelRoute = route({
  operation: 'askModel',
  method: 'POST',
  path: '/api/v1/models/ask',
  aliases: [],
  tag: 'models',
  access: 'models.ask',
  summary: 'Ask a model, and wait for its answer',
  description:
    'Routed, limited, paid and recorded as any other call. `no_model`: none fits; `models_failed`: none answered; `budget_exceeded`: it cannot be paid.',
  query: only(NamespaceQuery),
  body: QuestionBody,
  answers: { 200: Answered },
  example: {
    body: { prompt: 'Why does nginx answer 502?', privacy: 'localOnly' },
    answer: { text: 'Its upstream is down.', call: sampleCall, correlation_id: SAMPLE.correlation },
  },
  async answer({ body, query, caller, correlationId }, { services }) {
    const { text, call } = await services.models.ask(questionOf(body, query.namespace), caller)
    return { text, call: callDto(call), correlation_id: correlationId }
  },
})

export const testModelProvider = route({
  operation: 'testModelProvider',
  method: 'POST',
  path: '/api/v1/models/{provider}/test',
  aliases: [],
  tag: 'models',
  access: 'models.ask',
  summary: 'Ask one provider for a word, to see whether it answers',
  params: Type.Object({ provider: Name }),
  query: only(NamespaceQuery),
  body: only({ model: Type.Optional(ModelName), prompt: Type.Optional(Prompt) }, { title: 'ModelTest' }),
  answers: { 200: Answered },
  example: {
    params: { provider: 'claude' },
    body: { model: 'claude-sonnet-4-5-20250929' },
    answer: { text: 'ok', call: sampleCall, correlation_id: SAMPLE.correlation },
  },
  async answer({ params, body, query, caller, correlationId }, { services }) {
    const question = questionOf({ ...body, provider: params.provider }, query.namespace)
    const { text, call } = await services.models.ask({ ...question, maxTokens: 64 }, caller)
    return { text, call: callDto(call), correlation_id: correlationId }
  },
})

export const listModelCalls = route({
  operation: 'listModelCalls',
  method: 'GET',
  path: '/api/v1/model-calls',
  aliases: [],
  tag: 'models',
  access: 'read',
  summary: 'List calls of models, the newest first',
  query: only({
    ...PageQuery,
    ...NamespaceQuery,
    provider: Type.Optional(Name),
    agent: Type.Optional(Name),
    run_id: Type.Optional(Uuid),
    task_id: Type.Optional(Uuid),
    state: Type.Optional(Type.Enum([...MODEL_CALL_STATES])),
  }),
  answers: { 200: pageOf(ModelCall) },
  example: { query: { provider: 'claude' }, answer: samplePage(sampleCall) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'string'])
    const rows = await pageModelCalls(reader, {
      namespace: query.namespace ?? null,
      provider: query.provider ?? null,
      agent: query.agent ?? null,
      runId: query.run_id ?? null,
      taskId: query.task_id ?? null,
      state: query.state ?? null,
      after: position === null ? null : { startedAt: position[0], id: position[1] },
      limit: query.limit + 1,
    })
    const page = { limit: query.limit, correlationId }
    return pageBody(rows, page, (last) => [last.started_at, last.call_id], callDto)
  },
})

export const readModelCall = route({
  operation: 'readModelCall',
  method: 'GET',
  path: '/api/v1/model-calls/{call}',
  aliases: [],
  tag: 'models',
  access: 'read',
  summary: 'Read a call of a model; what was asked and answered are artifacts',
  params: Type.Object({ call: Uuid }),
  answers: { 200: ModelCall },
  example: { params: { call: SAMPLE.cost }, answer: sampleCall },
  async answer({ params }, { store: { reader } }) {
    const row = await modelCallById(reader, params.call)
    if (row === null) throw fail('SW_NOT_FOUND', `there is no model call ${params.call}`)
    return callDto(row)
  },
})
