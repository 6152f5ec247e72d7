import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NOBODY } from '../../src/api/auth/authenticate.ts'
import { checkHost } from '../../src/api/http/trusted-host.ts'
import type { Api } from '../../src/api/http/typed.ts'
import { addMcpEndpoint } from '../../src/api/mcp/endpoint.ts'
import { silentLogger } from '../../src/telemetry/logger.ts'
import { conformance, requiredOf } from '../support/mcp-conformance.ts'
import { fixtureServer } from '../support/mcp-fixtures.ts'

const app: Api = Fastify()
const stopping = new AbortController()
let url: string

beforeAll(async () => {
  app.decorateRequest('principal')
  app.decorateReply('isStream', false)
  app.addHook('onRequest', async (request, reply) => {
    request.principal = NOBODY
    try {
      checkHost(request.headers, { names: [], origins: [] })
    } catch {
      await reply.code(403).send({})
    }
  })
  addMcpEndpoint(app, { log: silentLogger(), stopping: stopping.signal, serverFor: () => fixtureServer() })
  await app.listen({ host: '127.0.0.1', port: 0 })
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/mcp`
})
afterAll(async () => {
  stopping.abort()
  await app.close()
})

/** What a server asks its client in the middle of a call, and subscriptions, need sessions: older clients get none here. */
const NEEDS_SESSIONS = [
  'elicitation-sep1034-defaults',
  'elicitation-sep1330-enums',
  'resources-subscribe',
  'resources-unsubscribe',
  'tools-call-elicitation',
  'tools-call-sampling',
]

describe('the endpoint, with what the official suite calls behind it', () => {
  it.each([
    ['2026-07-28', 37, []],
    ['2025-11-25', 30, NEEDS_SESSIONS],
  ] as const)('passes what revision %s requires (%i scenarios)', async (revision, count, left) => {
    const [required, results] = [await requiredOf(revision), await conformance(url, revision)]
    const scored = results.filter(({ scenario }) => required.includes(scenario))
    expect(scored).toHaveLength(count)
    const failed = scored.filter(({ scenario, failures }) => failures.length > 0 && !left.includes(scenario as never))
    expect(failed).toEqual([])
    expect(scored.filter(({ failures }) => failures.length > 0).map(({ scenario }) => scenario)).toEqual([...left])
  })
})
