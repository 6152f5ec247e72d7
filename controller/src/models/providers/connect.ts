import type { LanguageModelV4 } from '@ai-sdk/provider'
import type { ModelProviderSpec, ModelSpec } from '../../kinds/model-provider/model-provider.schema.ts'
import { assertNever } from '../../lib/assert-never.ts'
import { parseDuration } from '../../lib/duration.ts'
import { ollamaWire } from './ollama.ts'
import { scriptedModel } from './scripted.ts'
import type { ToolNames } from './tool-names.ts'

/** The addresses of those that have one of their own. */
const LOCAL_ADDRESS = { ollama: 'http://127.0.0.1:11434', 'llama-cpp': 'http://127.0.0.1:8080' } as const

/** Where a provider of this machine answers; null = its library knows. */
export function addressOf(spec: Pick<ModelProviderSpec, 'type' | 'baseURL'>): string | null {
  if (spec.baseURL !== undefined) return spec.baseURL.replace(/\/+$/, '')
  return spec.type === 'ollama' || spec.type === 'llama-cpp' ? LOCAL_ADDRESS[spec.type] : null
}

/** llama.cpp serves the OpenAI wire below /v1. */
export function openAiAddress(spec: Pick<ModelProviderSpec, 'type' | 'baseURL'>): string {
  const address = addressOf(spec) ?? ''
  return spec.type === 'llama-cpp' && !/\/v\d+$/.test(address) ? `${address}/v1` : address
}

export interface Connection {
  readonly spec: ModelProviderSpec
  readonly model: string
  readonly modelSpec: ModelSpec | undefined
  /** Null = it needs none. */
  readonly key: string | null
  readonly names: ToolNames
  /** Of the question. Libraries get them with it, but for Ollama's. */
  readonly headers: Readonly<Record<string, string>>
}

type Asked = Pick<LanguageModelV4, 'doStream'>

/** What libraries offer is the same for every question, and dear to make: kept as long as what was declared. */
const offered = new WeakMap<ModelProviderSpec, Map<string, Promise<Asked>>>()
/** Models times keys of one provider; a key that was changed leaves one behind. */
const MOST_OFFERED = 64

/**
 * The model as the library of its provider offers it. Libraries are loaded when they are needed first: who asks no model pays
 * nothing for them.
 */
export async function connect(connection: Connection): Promise<Asked> {
  const { spec, model, key, names } = connection
  switch (spec.type) {
    case 'scripted':
      return scriptedModel(spec.script ?? [], model, names)
    case 'ollama':
      // It notes what went over the wire of this one question.
      return await openOllama(connection)
    default: {
      let ofProvider = offered.get(spec)
      if (ofProvider === undefined || ofProvider.size >= MOST_OFFERED) {
        ofProvider = new Map()
        offered.set(spec, ofProvider)
      }
      const id = JSON.stringify([model, key])
      let made = ofProvider.get(id)
      if (made === undefined) {
        made = open(spec, spec.type, model, key)
        ofProvider.set(id, made)
        made.catch(() => offered.delete(spec))
      }
      return await made
    }
  }
}

async function open(
  spec: ModelProviderSpec,
  type: Exclude<ModelProviderSpec['type'], 'scripted' | 'ollama'>,
  model: string,
  key: string | null,
): Promise<Asked> {
  const address = addressOf(spec)
  const at = address === null ? {} : { baseURL: address }
  switch (type) {
    case 'openai': {
      const { createOpenAI } = await import('@ai-sdk/openai')
      return createOpenAI({ ...at, apiKey: key ?? '' })(model)
    }
    case 'anthropic': {
      const { createAnthropic } = await import('@ai-sdk/anthropic')
      return createAnthropic({ ...at, apiKey: key ?? '' })(model)
    }
    case 'openai-compatible':
    case 'llama-cpp': {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible')
      return createOpenAICompatible({
        name: type,
        baseURL: openAiAddress(spec),
        includeUsage: true,
        supportsStructuredOutputs: true,
        ...(key === null ? {} : { apiKey: key }),
      })(model)
    }
    default:
      return assertNever(type)
  }
}

async function openOllama({ spec, model, modelSpec, key, headers }: Connection): Promise<Asked> {
  const { createOllama } = await import('ai-sdk-ollama')
  const address = addressOf(spec)
  const options = modelSpec?.contextLength === undefined ? {} : { options: { num_ctx: modelSpec.contextLength } }
  const wire = ollamaWire()
  const ollama = createOllama({
    ...(address === null ? {} : { baseURL: address }),
    ...(key === null ? {} : { apiKey: key }),
    headers,
    fetch: wire.fetch,
  })
  return wire.complete(
    ollama(model, {
      ...options,
      keep_alive: keepAlive(modelSpec),
      // One question is one request: what is asked again is asked by us, and paid.
      reliableToolCalling: false,
      reliableObjectGeneration: false,
    }),
  )
}

/** Ollama unloads models by itself. -1 = never. */
function keepAlive(model: ModelSpec | undefined): string | number {
  if (model?.alwaysLoaded === true) return -1
  return `${Math.round(parseDuration(model?.unloadAfterIdle ?? '5m') / 1000)}s`
}

/** Variables that hold the key of a provider that names no secret. */
export const KEY_VARIABLE: Readonly<Record<string, string>> = {
  openai: 'OPENAI_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
}
