import { parse } from 'secure-json-parse'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json } from '../../lib/json.ts'
import type { Api } from './typed.ts'

/** The limit of a JSON body on the bus's routes, in bytes; larger results belong into artifacts. */
export const BODY_LIMIT = 20_480

/** Of a batch of CloudEvents. */
const BATCH_LIMIT = 1_048_576

/** JSON without keys that would reach a prototype. Throws SW_INVALID_JSON. */
export function parseJsonText(text: string): Json {
  try {
    return parse(text, null, { protoAction: 'error', constructorAction: 'error' }) as Json
  } catch (error) {
    throw fail('SW_INVALID_JSON', 'the body is not JSON', { cause: error })
  }
}

/**
 * Reads JSON bodies, CloudEvents among them. An empty body with a JSON content type means no body: clients send that with
 * POST and DELETE.
 */
export function addJsonParser(app: Api): void {
  app.removeAllContentTypeParsers()
  const add = (types: string[], bodyLimit: number): void => {
    app.addContentTypeParser(
      types,
      { parseAs: 'string', bodyLimit },
      async (_request: unknown, body: string | Buffer) => {
        const text = typeof body === 'string' ? body : body.toString('utf8')
        return text.trim() === '' ? undefined : parseJsonText(text)
      },
    )
  }
  add(['application/json', 'application/cloudevents+json'], BODY_LIMIT)
  add(['application/cloudevents-batch+json'], BATCH_LIMIT)
}
