import Type from 'typebox'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Name, NamespaceQuery, only } from '../schemas.ts'

const about = { params: Type.Object({ server: Name }), query: only({ ...NamespaceQuery }), tag: 'tools' } as const

export const beginMcpLogin = route({
  ...about,
  operation: 'beginMcpLogin',
  method: 'POST',
  path: '/api/v1/mcp-servers/{server}/login',
  access: 'mcp.login',
  summary: 'Begin to sign in to an MCP server behind OAuth',
  description:
    'Asks the server who authorizes for it, registers this installation there where it has to, and answers with the address a person goes to (authorization code with PKCE). What comes back to `redirect_uri`, an http address of the machine of that person, goes to `…/login/finish` within ten minutes.',
  body: only({
    redirect_uri: Type.String({
      maxLength: 256,
      description: 'on 127.0.0.1, [::1] or localhost: where the authorization server sends the browser back to',
    }),
    scopes: Type.Optional(
      Type.Array(Type.String({ pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]+$', maxLength: 256 }), {
        maxItems: 50,
        description: 'asked for besides those that are declared, were granted before, or are needed now',
      }),
    ),
  }),
  answers: {
    200: Type.Object(
      {
        server: Name,
        authorization_url: Type.String({ description: 'where the person goes' }),
        expires_at: Type.String({ format: 'date-time' }),
        correlation_id: Type.String(),
      },
      { title: 'McpLogin' },
    ),
  },
  example: {
    params: { server: 'github' },
    body: { redirect_uri: 'http://127.0.0.1:8791/callback' },
    answer: {
      server: 'github',
      authorization_url: 'https://auth.example.com/authorize?response_type=code&client_id=stateward&state=…',
      expires_at: SAMPLE.time,
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ params, query, body, caller, correlationId }, { services }) {
    const ref = { namespace: query.namespace ?? 'default', name: params.server }
    const asked = { redirectUri: body.redirect_uri, scopes: body.scopes ?? [] }
    const { url, expiresAt } = await services.mcpServers.beginLogin(ref, asked, caller)
    return {
      ...{ server: params.server, authorization_url: url, expires_at: expiresAt.toISOString() },
      correlation_id: correlationId,
    }
  },
})

export const finishMcpLogin = route({
  ...about,
  operation: 'finishMcpLogin',
  method: 'POST',
  path: '/api/v1/mcp-servers/{server}/login/finish',
  access: 'mcp.login',
  summary: 'End a sign-in to an MCP server behind OAuth',
  description:
    'Takes the query of the address the person came back to, and exchanges its code. What that gives is kept as a secret, and renewed from then on; no answer and no event holds a token.',
  body: only({
    callback: Type.String({ minLength: 1, maxLength: 8192, description: '`code=…&state=…`, as it came' }),
  }),
  answers: {
    200: Type.Object(
      {
        server: Name,
        issuer: Type.String({ description: 'who authorized' }),
        scopes: Type.Array(Type.String()),
        secret: Type.String({ description: 'where it is kept: `<name>/<key>`' }),
        correlation_id: Type.String(),
      },
      { title: 'McpLoginDone' },
    ),
  },
  example: {
    params: { server: 'github' },
    body: { callback: 'code=SplxlOBeZQQYbYS6WxSbIA&state=af0ifjsldkj' },
    answer: {
      ...{ server: 'github', issuer: 'https://auth.example.com', scopes: ['repo'] },
      ...{ secret: 'mcp.default.github/login', correlation_id: SAMPLE.correlation },
    },
  },
  async answer({ params, query, body, caller, correlationId }, { services }) {
    const ref = { namespace: query.namespace ?? 'default', name: params.server }
    const { issuer, scopes, secret } = await services.mcpServers.finishLogin(ref, body.callback, caller)
    return { server: params.server, issuer, scopes: [...scopes], secret, correlation_id: correlationId }
  },
})
