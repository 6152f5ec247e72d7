import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

export interface TestIssuer {
  readonly url: string
  /** How often its keys were fetched. */
  readonly fetched: () => number
  /** A token of this issuer for `stateward`, good for an hour unless the claims say otherwise. */
  token(claims: JWTPayload, options?: { readonly audience?: string; readonly expires?: string }): Promise<string>
  /** Another key from now on; the former one is gone. */
  rotate(): Promise<void>
  setUp(isUp: boolean): void
  close(): Promise<void>
}

/** An OIDC issuer on a loopback port: discovery document and keys, as real ones serve them. */
export async function startIssuer(): Promise<TestIssuer> {
  let number = 0
  let fetched = 0
  let isUp = true
  const make = async () => {
    number += 1
    return { ...(await generateKeyPair('RS256', { extractable: true })), kid: `key-${number}` }
  }
  let pair = await make()
  const server = createServer(async (request, response) => {
    const answer = (body: unknown) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (!isUp) response.writeHead(503).end()
    else if (request.url === '/.well-known/openid-configuration') answer({ issuer: url, jwks_uri: `${url}/keys` })
    else if (request.url === '/keys') {
      fetched += 1
      answer({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: pair.kid, alg: 'RS256', use: 'sig' }] })
    } else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    fetched: () => fetched,
    token: (claims, { audience = 'stateward', expires = '1h' } = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: pair.kid })
        .setIssuer(url)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(expires)
        .sign(pair.privateKey),
    async rotate() {
      pair = await make()
    },
    setUp(up) {
      isUp = up
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
