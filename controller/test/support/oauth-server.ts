import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { importJWK, type JWK, jwtVerify } from 'jose'
import type { Doorkeeper } from './mcp-tools.ts'

/** A client that was registered by hand. */
export interface KnownClient {
  readonly secret?: string
  /** Public part of the key it signs with. */
  readonly key?: JWK
}

interface Grant {
  readonly clientId: string
  readonly resource: string
  readonly scope: string
}

interface Code extends Grant {
  readonly challenge: string
  readonly redirectUri: string
}

/**
 * An OAuth 2.1 authorization server of real requests: metadata (RFC 8414), registration (RFC 7591), authorization code with PKCE,
 * refresh tokens that are used once, client credentials by secret or by a signed assertion, resource indicators. Whoever comes to
 * its page agrees.
 */
export async function startOAuthServer(known: Readonly<Record<string, KnownClient>> = {}) {
  const clients = new Map<string, KnownClient & { readonly redirects?: readonly string[] }>(Object.entries(known))
  const codes = new Map<string, Code>()
  const refreshTokens = new Map<string, Grant>()
  const accessTokens = new Map<string, Grant>()
  /** Each request for a token: `grant_type`, and what it was answered with. */
  const tokenRequests: { readonly grant: string; readonly status: number }[] = []
  let issuer = ''

  const metadata = () => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt', 'none'],
    authorization_response_iss_parameter_supported: true,
  })

  function authorize(url: URL, response: ServerResponse): undefined {
    const get = (name: string): string => url.searchParams.get(name) ?? ''
    const client = clients.get(get('client_id'))
    if (client === undefined || get('code_challenge_method') !== 'S256' || get('resource') === '')
      return json(response, 400, { error: 'invalid_request' })
    const code = randomBytes(16).toString('hex')
    codes.set(code, {
      ...{ clientId: get('client_id'), resource: get('resource'), scope: get('scope') },
      ...{ challenge: get('code_challenge'), redirectUri: get('redirect_uri') },
    })
    const back = new URL(get('redirect_uri'))
    for (const [name, value] of Object.entries({ code, state: get('state'), iss: issuer }))
      back.searchParams.set(name, value)
    response.writeHead(302, { location: back.href }).end()
  }

  async function clientOf(request: IncomingMessage, form: URLSearchParams): Promise<string | null> {
    const [, basic] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? []
    if (basic !== undefined) {
      const [id = '', secret] = Buffer.from(basic, 'base64').toString().split(':').map(decodeURIComponent)
      return clients.get(id)?.secret !== undefined && clients.get(id)?.secret === secret ? id : null
    }
    const assertion = form.get('client_assertion')
    if (assertion !== null) {
      const { iss = '' } = JSON.parse(Buffer.from(assertion.split('.')[1]!, 'base64url').toString()) as { iss?: string }
      const key = clients.get(iss)?.key
      if (key === undefined) return null
      await jwtVerify(assertion, await importJWK(key, 'ES256'), { issuer: iss, subject: iss, audience: issuer })
      return iss
    }
    const id = form.get('client_id') ?? ''
    const client = clients.get(id)
    return client !== undefined && client.secret === undefined && client.key === undefined ? id : null
  }

  /** What a request for a token gets: a grant, with a refresh token where a person gave it. */
  function granted(form: URLSearchParams, clientId: string): (Grant & { readonly renewable: boolean }) | null {
    const [grant, resource] = [form.get('grant_type'), form.get('resource') ?? '']
    if (grant === 'client_credentials')
      return resource === '' ? null : { clientId, resource, scope: form.get('scope') ?? '', renewable: false }
    if (grant === 'refresh_token') {
      const before = refreshTokens.get(form.get('refresh_token') ?? '')
      if (before === undefined || before.clientId !== clientId || before.resource !== resource) return null
      refreshTokens.delete(form.get('refresh_token') ?? '')
      return { ...before, renewable: true }
    }
    const code = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (code === undefined || code.clientId !== clientId || code.challenge !== challenge) return null
    if (code.redirectUri !== form.get('redirect_uri') || code.resource !== resource) return null
    return { clientId, resource, scope: code.scope, renewable: true }
  }

  async function token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await text(request))
    const clientId = await clientOf(request, form)
    const grant = clientId === null ? null : granted(form, clientId)
    const status = clientId === null ? 401 : grant === null ? 400 : 200
    tokenRequests.push({ grant: form.get('grant_type') ?? '', status })
    if (grant === null) return json(response, status, { error: clientId === null ? 'invalid_client' : 'invalid_grant' })
    const [access, refresh] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')]
    accessTokens.set(access, grant)
    if (grant.renewable) refreshTokens.set(refresh, grant)
    json(response, 200, {
      ...{ access_token: access, token_type: 'Bearer', expires_in: 3600, scope: grant.scope },
      ...(grant.renewable ? { refresh_token: refresh } : {}),
    })
  }

  async function register(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = JSON.parse(await text(request)) as { redirect_uris: string[] }
    const id = `client-${randomBytes(6).toString('hex')}`
    const secret = randomBytes(24).toString('hex')
    clients.set(id, { secret, redirects: asked.redirect_uris })
    json(response, 201, { ...asked, client_id: id, client_secret: secret, client_secret_expires_at: 0 })
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', issuer)
    const on: Readonly<Record<string, () => void | Promise<void>>> = {
      '/.well-known/oauth-authorization-server': () => json(response, 200, metadata()),
      '/authorize': () => authorize(url, response),
      '/token': () => token(request, response),
      '/register': () => register(request, response),
    }
    const answer = on[url.pathname]
    if (answer === undefined) return json(response, 404, {})
    Promise.resolve(answer()).catch((error: unknown) => json(response, 500, { error: String(error) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    issuer,
    tokenRequests,
    /** What a token gives to whoever holds it; null = nothing. */
    grantOf: (access: string, resource: string): Grant | null => {
      const grant = accessTokens.get(access)
      return grant !== undefined && grant.resource === resource ? grant : null
    },
    /** All access tokens are over. */
    expire: () => accessTokens.clear(),
    /** Nothing can be renewed either. */
    revoke: () => {
      accessTokens.clear()
      refreshTokens.clear()
    },
    /** Every token that was ever given, for looking for it where it must not be. */
    secrets: () => [...accessTokens.keys(), ...refreshTokens.keys()],
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export type OAuthServer = Awaited<ReturnType<typeof startOAuthServer>>

/** Lets in whoever has a token for this server, with `tools.call` for a call: as a resource of that authorization server (RFC 9728). */
export function behindOAuth(oauth: () => OAuthServer): Doorkeeper {
  return (request, message, origin) => {
    const resource = `${origin}/mcp`
    const document = `${origin}/.well-known/oauth-protected-resource/mcp`
    if (request.url === '/.well-known/oauth-protected-resource/mcp')
      return Response.json({ resource, authorization_servers: [oauth().issuer] })
    const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
    const grant = oauth().grantOf(token, resource)
    const refuse = (status: number, words: string) =>
      new Response('{}', {
        status,
        headers: { 'www-authenticate': `Bearer ${words}, resource_metadata="${document}"` },
      })
    if (grant === null) return refuse(401, 'error="invalid_token", scope="tools.list"')
    const needed = message.includes('"tools/call"') ? 'tools.call' : 'tools.list'
    return grant.scope.split(' ').includes(needed) ? null : refuse(403, `error="insufficient_scope", scope="${needed}"`)
  }
}

function json(response: ServerResponse, status: number, body: object): undefined {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
