import type { Api } from './typed.ts'

/** The limit of a JSON body on the bus's routes, in bytes; larger results belong into artifacts. */
export const BODY_LIMIT = 20_480

/**
 * Reads JSON bodies. An empty body with a JSON content type means no body (clients send that with POST and DELETE); keys
 * that would reach a prototype are refused.
 */
export function addJsonParser(app: Api): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: BODY_LIMIT }, (request, body, done) => {
    const text = typeof body === 'string' ? body : body.toString('utf8')
    if (text.trim() === '') done(null, undefined)
    else parse(request, text, done)
  })
}
