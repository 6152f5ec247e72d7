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
  addMcpEndpoint(app, {
    ...{ log: silentLogger(), stopping: stopping.signal, monotonicMs: () => performance.now() },
    serverFor: ({ isSession }) => fixtureServer(isSession),
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/mcp`
})
afterAll(async () => {
  stopping.abort()
  await app.close()
})

describe('the endpoint, with what the official suite calls behind it', () => {
  it.each([
    ['2026-07-28', 37],
    ['2025-11-25', 30],
  ] as const)('passes what revision %s requires (%i scenarios)', async (revision, count) => {
    const [required, results] = [await requiredOf(revision), await conformance(url, revision)]
    const scored = results.filter(({ scenario }) => required.includes(scenario))
    expect(scored).toHaveLength(count)
    expect(scored.filter(({ failures }) => failures.length > 0)).toEqual([])
    // Added to the suite after that revision.
    expect(results.find(({ scenario }) => scenario === 'server-session-lifecycle')?.failures ?? []).toEqual([])
  })
})
