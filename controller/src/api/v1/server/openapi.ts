import Type from 'typebox'
import { type Route, type RouteFacts, route } from '../../http/route.ts'
import { openApiDocument } from '../../openapi/document.ts'

/** The OpenAPI document of the given routes and of itself. */
export function openApiRoute(routes: readonly RouteFacts[]): Route {
  const self = route({
    operation: 'readOpenApi',
    method: 'GET',
    path: '/openapi.json',
    tag: 'server',
    access: 'public',
    summary: 'This API as OpenAPI 3.1',
    answers: { 200: Type.Object({ openapi: Type.String() }, { additionalProperties: true }) },
    example: { answer: { openapi: '3.1.0' } },
    async answer({ header }) {
      // A document of its own: nothing is added to it.
      header('content-type', 'application/json; charset=utf-8')
      return document()
    },
  })
  let made: { openapi: string } | null = null
  const document = () => {
    made ??= openApiDocument([...routes, self]) as { openapi: string }
    return made
  }
  return self
}
