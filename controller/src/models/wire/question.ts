import type { ModelProviderSpec } from '../../kinds/model-provider/model-provider.schema.ts'
import type { JsonObject } from '../../lib/json.ts'

/** The wire formats clients may ask in: Anthropic's messages, OpenAI's chat completions and responses. */
export const WIRE_FORMATS = ['messages', 'chat', 'responses'] as const
export type WireFormat = (typeof WIRE_FORMATS)[number]

/** A question as the client of a provider put it. A provider that speaks the same format gets it word for word. */
export interface WireQuestion {
  readonly format: WireFormat
  readonly body: JsonObject
  /** With the `?`, or empty. */
  readonly query: string
  /** Those that say how the body is to be read: no credentials. */
  readonly headers: Readonly<Record<string, string>>
  /** What is not said in other formats: a provider that would have to be told so is not asked. Empty = all of it is. */
  readonly untold: readonly string[]
  /** Null = the answer is wanted whole. */
  readonly stream: WireStream | null
}

/** Where an answer goes while it comes. */
export interface WireStream {
  /** From the first chunk on nobody else can answer. */
  write(chunk: string): void
  readonly hasBegun?: boolean
}

/** Headers that belong to a question, and go on with it. */
export const CARRIED = /^(anthropic-(version|beta)|openai-beta|x-openai-[a-z-]+|x-codex-[a-z-]+)$/

/** The formats providers speak themselves. Others are asked in their own words. */
const SPOKEN: Readonly<Partial<Record<ModelProviderSpec['type'], readonly WireFormat[]>>> = {
  anthropic: ['messages'],
  openai: ['chat', 'responses'],
  'openai-compatible': ['chat'],
  'llama-cpp': ['chat'],
}

export const speaks = ({ type }: Pick<ModelProviderSpec, 'type'>, { format }: Pick<WireQuestion, 'format'>): boolean =>
  SPOKEN[type]?.includes(format) === true
