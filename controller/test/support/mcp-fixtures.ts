import { randomBytes } from 'node:crypto'
import {
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server'

/** What the conformance suite calls by names of its own: a server of nothing but that. */

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA='

const text = (words: string) => ({ type: 'text' as const, text: words })
const image = { type: 'image' as const, data: PNG, mimeType: 'image/png' }
const resource = (uri: string, mimeType: string, words: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text: words },
})
const said = (...content: object[]) => ({ content })
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

type Answers = Readonly<Record<string, unknown>>
const answersOf = (context: ServerContext): Answers => context.mcpReq.inputResponses ?? {}

/** Asks the client for something, once again if what came is not it. */
const elicit = (message: string, property: string, type = 'string') => ({
  method: 'elicitation/create',
  params: {
    mode: 'form',
    message,
    requestedSchema: { type: 'object', properties: { [property]: { type } }, required: [property] },
  },
})
const sample = (words: string, maxTokens: number) => ({
  method: 'sampling/createMessage',
  params: { messages: [{ role: 'user', content: text(words) }], maxTokens },
})
const roots = { method: 'roots/list', params: {} }
const ask = (inputRequests: object, requestState?: string) => ({
  resultType: 'input_required',
  inputRequests,
  ...(requestState === undefined ? {} : { requestState }),
})
const contentOf = (answers: Answers, key: string): Readonly<Record<string, unknown>> | null => {
  const { action, content } = (answers[key] ?? {}) as { action?: string; content?: Record<string, unknown> }
  return action === 'accept' && typeof content === 'object' ? content : null
}

const codec = createRequestStateCodec<{ round: number }>({ key: randomBytes(32) })
const roundOf = (context: ServerContext) => context.mcpReq.requestState<{ round: number }>()?.round ?? 0
const NAME = elicit('What is your name?', 'name')

type Tool = (context: ServerContext, given: Readonly<Record<string, unknown>>) => Promise<object> | object

/** On the stream of its call: the other one may not be there yet. */
const within = ({ mcpReq }: ServerContext) => ({ relatedRequestId: mcpReq.id })

/** Asks in the middle of a call, as older revisions do. */
async function asked(context: ServerContext, message: string, properties: object): Promise<object> {
  const requestedSchema = { type: 'object', properties } as never
  const { action, content } = await context.mcpReq.elicitInput(
    { mode: 'form', message, requestedSchema },
    within(context),
  )
  return said(text(`Elicitation completed: action=${action}, content=${JSON.stringify(content)}`))
}

const TOOLS: Readonly<Record<string, Tool>> = {
  test_simple_text: () => said(text('This is a simple text response for testing.')),
  test_image_content: () => said(image),
  test_audio_content: () => said({ type: 'audio', data: WAV, mimeType: 'audio/wav' }),
  test_embedded_resource: () =>
    said(resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')),
  test_multiple_content_types: () =>
    said(
      text('Multiple content types test:'),
      image,
      resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ),
  test_error_handling: () => ({
    isError: true,
    content: [text('This tool intentionally returns an error for testing')],
  }),
  async test_tool_with_logging(context) {
    for (const words of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await context.mcpReq.log('info', words)
      await pause(50)
    }
    return said(text('logged'))
  },
  async test_tool_with_progress(context) {
    const progressToken = context.mcpReq._meta?.progressToken
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined)
        await context.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 100 },
        })
      await pause(50)
    }
    return said(text('done'))
  },
  async test_sampling(context, { prompt = '' }) {
    const messages = [{ role: 'user' as const, content: text(String(prompt)) }]
    const { content } = await context.mcpReq.requestSampling({ messages, maxTokens: 100 }, within(context))
    return said(text(`LLM response: ${JSON.stringify(content)}`))
  },
  test_elicitation: (context, { message = '' }) =>
    asked(context, String(message), {
      username: { type: 'string', description: "User's response" },
      email: { type: 'string', description: "User's email address" },
    }),
  test_elicitation_sep1034_defaults: (context) =>
    asked(context, 'Defaults', {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    }),
  test_elicitation_sep1330_enums(context) {
    const options = ['option1', 'option2', 'option3']
    const titled = ['First', 'Second', 'Third'].map((title, i) => ({
      const: `value${i + 1}`,
      title: `${title} Option`,
    }))
    const legacy = { enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] }
    return asked(context, 'Enums', {
      untitledSingle: { type: 'string', enum: options },
      titledSingle: { type: 'string', oneOf: titled },
      legacyEnum: { type: 'string', ...legacy },
      untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
      titledMulti: { type: 'array', items: { anyOf: titled } },
    })
  },
  async test_logging_tool(context) {
    await context.mcpReq.log('info', 'only for who asks')
    return said(text('logged'))
  },
  test_missing_capability(context) {
    if (capabilitiesOf(context)['sampling'] === undefined)
      throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } })
    return said(text('there it is'))
  },
  test_streaming_elicitation: (context) =>
    contentOf(answersOf(context), 'user_name') === null ? ask({ user_name: NAME }) : said(text('thanks')),
  test_input_required_result_elicitation(context) {
    const found = contentOf(answersOf(context), 'user_name')
    return typeof found?.['name'] === 'string' ? said(text(`Hello, ${found['name']}!`)) : ask({ user_name: NAME })
  },
  test_input_required_result_sampling(context) {
    const answer = answersOf(context)['capital_question']
    return answer === undefined
      ? ask({ capital_question: sample('What is the capital of France?', 100) })
      : said(text(JSON.stringify(answer)))
  },
  test_input_required_result_list_roots(context) {
    const answer = answersOf(context)['client_roots']
    return answer === undefined ? ask({ client_roots: roots }) : said(text(JSON.stringify(answer)))
  },
  async test_input_required_result_request_state(context) {
    if (roundOf(context) === 1 && contentOf(answersOf(context), 'confirm') !== null) return said(text('state-ok'))
    return ask({ confirm: elicit('Please confirm', 'ok', 'boolean') }, await codec.mint({ round: 1 }))
  },
  async test_input_required_result_tampered_state(context) {
    if (roundOf(context) === 1 && contentOf(answersOf(context), 'confirm') !== null) return said(text('state-ok'))
    return ask({ confirm: elicit('Please confirm', 'ok', 'boolean') }, await codec.mint({ round: 1 }))
  },
  async test_input_required_result_multiple_inputs(context) {
    const answers = answersOf(context)
    const wanted = { user_name: NAME, greeting: sample('Generate a greeting', 50), client_roots: roots }
    return Object.keys(wanted).every((key) => answers[key] !== undefined)
      ? said(text('all of it'))
      : ask(wanted, await codec.mint({ round: 1 }))
  },
  async test_input_required_result_multi_round(context) {
    const round = roundOf(context)
    if (round === 0) return ask({ step1: elicit('Step 1: What is your name?', 'name') }, await codec.mint({ round: 1 }))
    if (round === 1)
      return ask({ step2: elicit('Step 2: What is your favorite color?', 'color') }, await codec.mint({ round: 2 }))
    return said(text('both'))
  },
  test_input_required_result_capabilities(context) {
    const has = capabilitiesOf(context)
    return ask({
      ...(has['elicitation'] === undefined ? {} : { user_name: NAME }),
      ...(has['sampling'] === undefined ? {} : { greeting: sample('Generate a greeting', 50) }),
    })
  },
}

function capabilitiesOf(context: ServerContext): Readonly<Record<string, unknown>> {
  const envelope = (context.mcpReq.envelope ?? {}) as Readonly<Record<string, unknown>>
  return (envelope[CLIENT_CAPABILITIES_META_KEY] ?? {}) as Readonly<Record<string, unknown>>
}

const user = (content: object) => ({ messages: [{ role: 'user', content }] })
const argument = (name: string) => ({ name, description: name, required: true })

const PROMPTS = [
  { name: 'test_simple_prompt', description: 'simple' },
  { name: 'test_prompt_with_arguments', description: 'arguments', arguments: [argument('arg1'), argument('arg2')] },
  { name: 'test_prompt_with_embedded_resource', description: 'embedded', arguments: [argument('resourceUri')] },
  { name: 'test_prompt_with_image', description: 'image' },
  { name: 'test_input_required_result_prompt', description: 'asks' },
]

function promptOf(name: string, given: Readonly<Record<string, string>>, context: ServerContext): object {
  switch (name) {
    case 'test_simple_prompt':
      return user(text('This is a simple prompt for testing.'))
    case 'test_prompt_with_arguments':
      return user(text(`Prompt with arguments: arg1='${given['arg1']}', arg2='${given['arg2']}'`))
    case 'test_prompt_with_embedded_resource':
      return {
        messages: [
          {
            role: 'user',
            content: resource(given['resourceUri'] ?? '', 'text/plain', 'Embedded resource content for testing.'),
          },
          { role: 'user', content: text('Please process the embedded resource above.') },
        ],
      }
    case 'test_prompt_with_image':
      return {
        messages: [
          { role: 'user', content: image },
          { role: 'user', content: text('Please analyze the image above.') },
        ],
      }
    case 'test_input_required_result_prompt':
      return contentOf(answersOf(context), 'user_context') === null
        ? ask({ user_context: elicit('What context should the prompt use?', 'context') })
        : user(text('with context'))
    default:
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `there is no prompt ${name}`)
  }
}

const RESOURCES = [
  { uri: 'test://static-text', name: 'static-text', description: 'text', mimeType: 'text/plain' },
  { uri: 'test://static-binary', name: 'static-binary', description: 'bytes', mimeType: 'image/png' },
]

function contentsOf(uri: string): object {
  if (uri === 'test://static-text')
    return { uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }
  if (uri === 'test://static-binary') return { uri, mimeType: 'image/png', blob: PNG }
  const [, id] = /^test:\/\/template\/([^/]+)\/data$/.exec(uri) ?? []
  if (id === undefined) throw new ResourceNotFoundError(uri)
  const data = { id, templateTest: true, data: `Data for ID: ${id}` }
  return { uri, mimeType: 'application/json', text: JSON.stringify(data) }
}

/** Subscriptions are those of sessions. */
export function fixtureServer(isSession: boolean): Server {
  const server = new Server(
    { name: 'fixtures', version: '1.0.0' },
    {
      capabilities: { tools: {}, prompts: {}, resources: { subscribe: isSession }, completions: {}, logging: {} },
      requestState: { verify: codec.verify },
    },
  )
  const inputSchema = { type: 'object' as const, properties: {} }
  server.setRequestHandler('tools/list', () => ({
    tools: Object.keys(TOOLS).map((name) => ({ name, description: `The suite's ${name}.`, inputSchema })),
  }))
  server.setRequestHandler('tools/call', async ({ params: { name, arguments: given = {} } }, context) => {
    const tool = TOOLS[name]
    if (tool === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `there is no tool ${name}`)
    return (await tool(context, given)) as never
  })
  server.setRequestHandler('prompts/list', () => ({ prompts: PROMPTS }))
  server.setRequestHandler(
    'prompts/get',
    ({ params }, context) => promptOf(params.name, params.arguments ?? {}, context) as never,
  )
  server.setRequestHandler('resources/list', () => ({ resources: RESOURCES }))
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template', description: 'by id' }],
  }))
  server.setRequestHandler('resources/read', ({ params: { uri } }) => ({ contents: [contentsOf(uri)] }) as never)
  if (isSession) {
    server.setRequestHandler('resources/subscribe', () => ({}))
    server.setRequestHandler('resources/unsubscribe', () => ({}))
  }
  server.setRequestHandler('completion/complete', () => ({ completion: { values: [], total: 0, hasMore: false } }))
  return server
}
