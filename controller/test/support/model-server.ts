import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A server that speaks the wire formats of providers of models, as their documentation has them, on loopback. */

export interface WireAnswer {
  readonly text?: string
  readonly toolCalls?: readonly { readonly id?: string; readonly name: string; readonly input: object }[]
  /** Null = it says nothing of what was used. */
  readonly usage?: { readonly input: number; readonly output: number } | null
  /** The model it says answered. */
  readonly model?: string
  /** Answers with this status instead. */
  readonly status?: number
  readonly headers?: Record<string, string>
  /** Cuts the connection after so many words. */
  readonly dieAfter?: number
  readonly delayMs?: number
  /** Never ends. */
  readonly hang?: boolean
}

export interface WireRequest {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Record<string, unknown>
}

export interface ModelServer {
  readonly url: string
  readonly requests: readonly WireRequest[]
  /** What comes next; the last one is given again and again. */
  answer(...answers: (WireAnswer | ((request: WireRequest) => WireAnswer))[]): void
  close(): Promise<void>
}

export async function startModelServer(port = 0): Promise<ModelServer> {
  const requests: WireRequest[] = []
  let answers: (WireAnswer | ((request: WireRequest) => WireAnswer))[] = [{ text: 'Hello there, all is well.' }]
  const server = createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy())
  })
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = ''
    for await (const chunk of request) text += chunk
    const wire: WireRequest = {
      path: request.url ?? '',
      headers: request.headers,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    }
    requests.push(wire)
    const next = answers.length > 1 ? answers.shift()! : answers[0]!
    const answer = typeof next === 'function' ? next(wire) : next
    if (answer.delayMs !== undefined) await delay(answer.delayMs)
    if (answer.status !== undefined) {
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      response.end(JSON.stringify({ error: { message: `status ${answer.status}`, type: 'error' }, type: 'error' }))
      return
    }
    await speak(wire, answer, response)
  }
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${bound}`,
    requests,
    answer(...given) {
      answers = given
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const wordsOf = (text = ''): string[] => text.match(/\S+\s*/g) ?? []

async function speak(request: WireRequest, answer: WireAnswer, response: ServerResponse): Promise<void> {
  const model = answer.model ?? String(request.body['model'])
  const write = writer(response, answer)
  const [path = ''] = request.path.split('?')
  if (request.body['stream'] === false && /\/(messages|chat\/completions)$/.test(path)) {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(path.endsWith('/messages') ? wholeMessage(model, answer) : wholeChat(model, answer)))
    return
  }
  if (path.endsWith('/responses')) await openAiResponses(model, answer, write)
  else if (path.endsWith('/chat/completions')) await openAiChat(model, answer, write)
  else if (path.endsWith('/messages')) await anthropic(model, answer, write)
  else if (path.endsWith('/api/chat')) await ollama(model, answer, write)
  else {
    response.writeHead(404)
    response.end()
    return
  }
  if (answer.hang !== true) response.end()
}

interface Write {
  head(contentType: string): void
  chunk(text: string): void
  /** After each word: ends the process's side when the answer says so. */
  word(index: number): Promise<boolean>
}

function writer(response: ServerResponse, answer: WireAnswer): Write {
  return {
    head: (contentType) => response.writeHead(200, { 'content-type': contentType }),
    chunk: (text) => void response.write(text),
    async word(index) {
      if (answer.dieAfter === undefined || index < answer.dieAfter) return false
      await delay(20)
      response.destroy()
      return true
    },
  }
}

const usageOf = ({ usage }: WireAnswer) => (usage === undefined ? { input: 12, output: 5 } : usage)

const wholeMessage = (model: string, answer: WireAnswer) => ({
  ...{ id: 'msg_1', type: 'message', role: 'assistant', model, stop_sequence: null },
  content: [
    ...(answer.text === undefined ? [] : [{ type: 'text', text: answer.text }]),
    ...(answer.toolCalls ?? []).map(({ id = 'toolu_0', name, input }) => ({ type: 'tool_use', id, name, input })),
  ],
  stop_reason: answer.toolCalls === undefined ? 'end_turn' : 'tool_use',
  usage: { input_tokens: usageOf(answer)?.input ?? 0, output_tokens: usageOf(answer)?.output ?? 0 },
})

const wholeChat = (model: string, answer: WireAnswer) => ({
  ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model },
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: answer.text ?? null } }],
  usage: { prompt_tokens: usageOf(answer)?.input, completion_tokens: usageOf(answer)?.output },
})

async function openAiChat(model: string, answer: WireAnswer, write: Write): Promise<void> {
  write.head('text/event-stream')
  const send = (delta: object, finish: string | null = null) =>
    write.chunk(
      `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
    )
  send({ role: 'assistant', content: '' })
  for (const [i, word] of wordsOf(answer.text).entries()) {
    if (await write.word(i)) return
    send({ content: word })
  }
  for (const [index, call] of (answer.toolCalls ?? []).entries())
    send({
      tool_calls: [
        {
          index,
          id: call.id ?? `call_${index}`,
          type: 'function',
          function: { name: call.name, arguments: JSON.stringify(call.input) },
        },
      ],
    })
  if (answer.hang === true) return
  send({}, answer.toolCalls === undefined ? 'stop' : 'tool_calls')
  const usage = usageOf(answer)
  if (usage !== null)
    write.chunk(
      `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model, choices: [], usage: { prompt_tokens: usage.input, completion_tokens: usage.output, total_tokens: usage.input + usage.output } })}\n\n`,
    )
  write.chunk('data: [DONE]\n\n')
}

async function openAiResponses(model: string, answer: WireAnswer, write: Write): Promise<void> {
  write.head('text/event-stream')
  let sequence = 0
  const send = (type: string, data: object) =>
    write.chunk(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...data })}\n\n`)
  const response = { id: 'resp_1', object: 'response', created_at: 1, model, status: 'in_progress', output: [] }
  send('response.created', { response })
  let output = 0
  const words = wordsOf(answer.text)
  if (words.length > 0) {
    const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] }
    send('response.output_item.added', { output_index: output, item })
    for (const [i, delta] of words.entries()) {
      if (await write.word(i)) return
      send('response.output_text.delta', {
        item_id: 'msg_1',
        output_index: output,
        content_index: 0,
        delta,
        logprobs: [],
      })
    }
    const done = {
      ...item,
      status: 'completed',
      content: [{ type: 'output_text', text: answer.text, annotations: [] }],
    }
    send('response.output_item.done', { output_index: output++, item: done })
  }
  for (const [i, call] of (answer.toolCalls ?? []).entries()) {
    const item = {
      id: `fc_${i}`,
      type: 'function_call',
      call_id: call.id ?? `call_${i}`,
      name: call.name,
      arguments: '',
      status: 'in_progress',
    }
    send('response.output_item.added', { output_index: output, item })
    const args = JSON.stringify(call.input)
    send('response.function_call_arguments.delta', { item_id: item.id, output_index: output, delta: args })
    send('response.output_item.done', {
      output_index: output++,
      item: { ...item, arguments: args, status: 'completed' },
    })
  }
  if (answer.hang === true) return
  const usage = usageOf(answer)
  send('response.completed', {
    response: {
      ...response,
      status: 'completed',
      usage:
        usage === null
          ? null
          : {
              input_tokens: usage.input,
              input_tokens_details: { cached_tokens: 0 },
              output_tokens: usage.output,
              output_tokens_details: { reasoning_tokens: 0 },
              total_tokens: usage.input + usage.output,
            },
    },
  })
}

async function anthropic(model: string, answer: WireAnswer, write: Write): Promise<void> {
  write.head('text/event-stream')
  const send = (type: string, data: object) =>
    write.chunk(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
  const usage = usageOf(answer)
  send('message_start', {
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: usage?.input ?? 0, output_tokens: 0 },
    },
  })
  let index = 0
  const words = wordsOf(answer.text)
  if (words.length > 0) {
    send('content_block_start', { index, content_block: { type: 'text', text: '' } })
    for (const [i, text] of words.entries()) {
      if (await write.word(i)) return
      send('content_block_delta', { index, delta: { type: 'text_delta', text } })
    }
    send('content_block_stop', { index: index++ })
  }
  for (const [i, call] of (answer.toolCalls ?? []).entries()) {
    send('content_block_start', {
      index,
      content_block: { type: 'tool_use', id: call.id ?? `toolu_${i}`, name: call.name, input: {} },
    })
    send('content_block_delta', {
      index,
      delta: { type: 'input_json_delta', partial_json: JSON.stringify(call.input) },
    })
    send('content_block_stop', { index: index++ })
  }
  if (answer.hang === true) return
  send('message_delta', {
    delta: { stop_reason: answer.toolCalls === undefined ? 'end_turn' : 'tool_use', stop_sequence: null },
    usage: { output_tokens: usage?.output ?? 0 },
  })
  send('message_stop', {})
}

async function ollama(model: string, answer: WireAnswer, write: Write): Promise<void> {
  write.head('application/x-ndjson')
  const at = { model, created_at: '2026-03-01T12:00:00Z' }
  const send = (data: object) => write.chunk(`${JSON.stringify({ ...at, ...data })}\n`)
  for (const [i, content] of wordsOf(answer.text).entries()) {
    if (await write.word(i)) return
    send({ message: { role: 'assistant', content }, done: false })
  }
  if (answer.toolCalls !== undefined)
    send({
      message: {
        role: 'assistant',
        content: '',
        tool_calls: answer.toolCalls.map(({ name, input }) => ({ function: { name, arguments: input } })),
      },
      done: false,
    })
  if (answer.hang === true) return
  const usage = usageOf(answer)
  send({
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: 'stop',
    ...(usage === null ? {} : { prompt_eval_count: usage.input, eval_count: usage.output }),
  })
}
