import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../lib/json.ts'
import type { Answer } from '../request.ts'
import { takeEvent, takeWhole } from './gather.ts'
import { Gathered } from './gathered.ts'
import { WIRE_FORMATS, type WireFormat } from './question.ts'
import { readQuestion } from './read-question.ts'
import { wireSpeaker } from './speaker.ts'
import { dataOf, SseBlocks } from './sse-blocks.ts'

const anything = fc
  .record({
    text: fc.string({ unit: 'grapheme' }),
    calls: fc.array(
      fc.record({ tool: fc.stringMatching(/^[a-zA-Z_]{1,20}$/), input: fc.dictionary(fc.string(), fc.jsonValue()) }),
      {
        maxLength: 3,
      },
    ),
    usage: fc.record({ inputTokens: fc.nat(), outputTokens: fc.nat() }),
  })
  .map(
    ({ text, calls, usage }): Answer => ({
      text,
      toolCalls: calls.map(({ tool, input }, i) => ({
        id: `call_${i}`,
        tool,
        input: JSON.parse(JSON.stringify(input)) as JsonObject,
      })),
      finishReason: calls.length > 0 ? 'tool-calls' : 'stop',
      usage,
      modelAnswered: 'm',
    }),
  )
const SAID = { id: 'x1', model: 'm', at: 1 }

const seen = ({ text, toolCalls, usage, modelAnswered, isDone, problem }: Gathered) => ({
  ...{ text, toolCalls, usage, modelAnswered, isDone, problem },
})
const told = ({ text, toolCalls, usage }: Answer) => ({
  ...{ text, toolCalls, usage, modelAnswered: 'm', isDone: true, problem: null },
})

/** As a client reads it: in chunks that end anywhere. */
function streamed(format: WireFormat, answer: Answer, cuts: readonly number[]): Gathered {
  const speaker = wireSpeaker(format, SAID)
  const words = answer.text.match(/.{1,5}/gsu) ?? []
  const all = [speaker.head(), ...words.map((word) => speaker.text(word)), speaker.end(answer)].join('')
  const into = new Gathered()
  const blocks = new SseBlocks()
  let at = 0
  for (const cut of [...cuts, all.length]) {
    const size = Math.max(1, cut)
    for (const block of blocks.take(all.slice(at, at + size))) takeEvent(format, dataOf(block), into)
    at += size
  }
  expect(blocks.rest).toBe('')
  return into
}

describe.each(WIRE_FORMATS)('answers in the format %s', (format) => {
  it('are read as they were said, streamed in chunks of any size', () => {
    fc.assert(
      fc.property(anything, fc.array(fc.integer({ min: 1, max: 400 })), (answer, cuts) => {
        expect(seen(streamed(format, answer, cuts))).toEqual(told(answer))
      }),
    )
  })

  it('are read as they were said, whole', () => {
    fc.assert(
      fc.property(anything, (answer) => {
        const into = new Gathered()
        takeWhole(format, wireSpeaker(format, SAID).whole(answer), into)
        expect(seen(into)).toEqual(told(answer))
      }),
    )
  })

  it('are read without failing, whatever comes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        takeEvent(format, value, new Gathered())
        takeWhole(format, value, new Gathered())
        readQuestion(format, (typeof value === 'object' && value !== null ? value : {}) as JsonObject)
      }),
    )
  })
})

const CONVERSATION = [
  { role: 'user', text: 'Look at it.' },
  { role: 'assistant', text: 'I look.', toolCalls: [{ id: 'c1', tool: 'read', input: { path: 'a' } }] },
  { role: 'tool', results: [{ id: 'c1', tool: 'read', output: 'as it was', isError: false }] },
]
const TOOLS = [{ name: 'read', description: 'Reads.', inputSchema: { type: 'object' } }]
const SCHEMA = { type: 'object', properties: { n: { type: 'integer' } } }

const QUESTIONS: Record<WireFormat, JsonObject> = {
  messages: {
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
    max_tokens: 100,
    temperature: 0.5,
    messages: [
      { role: 'user', content: 'Look at it.' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 's' },
          { type: 'text', text: 'I look.' },
          { type: 'tool_use', id: 'c1', name: 'read', input: { path: 'a' } },
        ],
      },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'c1', content: [{ type: 'text', text: 'as it was' }] }],
      },
    ],
    tools: [{ name: 'read', description: 'Reads.', input_schema: { type: 'object' } }],
    output_config: { format: { type: 'json_schema', schema: SCHEMA } },
  },
  chat: {
    max_completion_tokens: 100,
    temperature: 0.5,
    messages: [
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'Look at it.' }] },
      {
        role: 'assistant',
        content: 'I look.',
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'read', arguments: '{"path":"a"}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'as it was' },
    ],
    tools: [{ type: 'function', function: { name: 'read', description: 'Reads.', parameters: { type: 'object' } } }],
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: SCHEMA } },
  },
  responses: {
    instructions: 'Be brief.',
    max_output_tokens: 100,
    temperature: 0.5,
    input: [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Look at it.' }] },
      { type: 'reasoning', id: 'r', summary: [], encrypted_content: 'x' },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I look.' }] },
      { type: 'function_call', call_id: 'c1', name: 'read', arguments: '{"path":"a"}' },
      { type: 'function_call_output', call_id: 'c1', output: 'as it was' },
    ],
    tools: [{ type: 'function', name: 'read', description: 'Reads.', parameters: { type: 'object' } }],
    text: { format: { type: 'json_schema', name: 'answer', schema: SCHEMA } },
  },
}

describe('questions', () => {
  it.each(WIRE_FORMATS)('of the format %s say the same to every provider', (format) => {
    expect(readQuestion(format, QUESTIONS[format])).toEqual({
      system: 'Be brief.',
      messages: CONVERSATION,
      tools: TOOLS,
      outputSchema: SCHEMA,
      maxTokens: 100,
      temperature: 0.5,
      untold: [],
    })
  })

  it.each([
    ['messages', { messages: [{ role: 'user', content: [{ type: 'image', source: {} }] }] }, ['image']],
    ['chat', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] }, ['image_url']],
    [
      'responses',
      { input: [{ type: 'custom_tool_call', call_id: 'c', name: 'patch', input: 'x' }] },
      ['custom_tool_call'],
    ],
    ['responses', { input: 'hi', previous_response_id: 'r' }, ['previous_response_id']],
  ] as const)('say what other formats have no words for (%s)', (format, body, untold) => {
    expect(readQuestion(format, body as unknown as JsonObject).untold).toEqual(untold)
  })
})
