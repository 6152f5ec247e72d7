import type { Api } from './typed.ts'

/** The limit of a JSON body on the bus's routes, in bytes; larger results belong into artifacts. */
export const BODY_LIMIT = 20_480

/** Of a batch of CloudEvents. */
const BATCH_LIMIT = 1_048_576

/**
 * Reads JSON bodies, CloudEvents among them. An empty body with a JSON content type means no body (clients send that with POST and DELETE); keys
 * that would reach a prototype are refused.
 */
export function addJsonParser(app: Api): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  const add = (types: string[], bodyLimit: number): void => {
    app.addContentTypeParser(types, { parseAs: 'string', bodyLimit }, (request, body, done) => {
      const text = typeof body === 'string' ? body : body.toString('utf8')
      if (text.trim() === '') done(null, undefined)
      else parse(request, text, done)
    })
  }
  add(['application/json', 'application/cloudevents+json'], BODY_LIMIT)
  add(['application/cloudevents-batch+json'], BATCH_LIMIT)
}
