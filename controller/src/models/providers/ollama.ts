import type { LanguageModelV4, LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { failureOf, type ModelFailure } from './failure.ts'

/**
 * What the library for Ollama leaves out of an answer: when it may be asked again, and which model answered. Both are read off
 * the wire as it goes by.
 */
export function ollamaWire(): {
  readonly fetch: typeof fetch
  readonly complete: (model: Pick<LanguageModelV4, 'doStream'>) => Pick<LanguageModelV4, 'doStream'>
} {
  let answered: string | null = null
  let refused: ModelFailure | null = null
  return {
    fetch: async (...request: Parameters<typeof fetch>) => {
      const response = await fetch(...request)
      if (response.status === 429)
        refused = failureOf(
          {
            message: (await response.clone().text()).slice(0, 500),
            statusCode: 429,
            responseHeaders: Object.fromEntries(response.headers),
          },
          false,
        )
      if (!response.ok || response.body === null) return response
      const body = response.body.pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(chunk, controller) {
            answered ??= /"model"\s*:\s*"([^"]+)"/.exec(new TextDecoder().decode(chunk))?.[1] ?? null
            controller.enqueue(chunk)
          },
        }),
      )
      return new Response(body, { status: response.status, headers: response.headers })
    },
    complete: (model) => ({
      async doStream(options) {
        try {
          const { stream, ...rest } = await model.doStream(options)
          return { ...rest, stream: stream.pipeThrough(withModel(() => answered)) }
        } catch (error) {
          throw refused ?? error
        }
      },
    }),
  }
}

function withModel(answered: () => string | null) {
  return new TransformStream<LanguageModelV4StreamPart, LanguageModelV4StreamPart>({
    transform(part, controller) {
      const modelId = answered()
      if (part.type === 'finish' && modelId !== null) controller.enqueue({ type: 'response-metadata', modelId })
      controller.enqueue(part)
    },
  })
}
