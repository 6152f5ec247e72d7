import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OpenApiDocument } from '../../src/api/openapi/document.ts'
import type { Sql } from '../../src/store/database.ts'
import { asAgent, startApi, type TestApi } from '../support/api-server.ts'
import { type MalformedRequest, malformedRequests, operationsOf } from '../support/malformed-requests.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const document = JSON.parse(
  await readFile(new URL('../../../docs/reference/openapi.json', import.meta.url), 'utf8'),
) as OpenApiDocument
const OPERATIONS = operationsOf(document).map((each) => ({ ...each, id: each.operation.operationId }))
const isOfAgents = ({ operation }: (typeof OPERATIONS)[number]) => operation['x-verb'] === 'agent.work'

/** Words of the inside: stacks, files, SQL, addresses. */
const INSIDE =
  /node_modules|\.ts:\d|\n\s+at |file:\/\/|postgres(ql)?:\/\/|\b(SELECT|INSERT|UPDATE|DELETE) .*\b(FROM|INTO|SET)\b|relation "|syntax error at|ECONN|\/tmp\//

/** What there is, by table; of the log, all but the decisions about who asked for what. */
async function state(sql: Sql): Promise<Record<string, number>> {
  const tables = await sql<{ name: string }[]>`
    SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relname NOT IN ('writers', 'log_batches', 'leases', 'consumers', 'events')`
  const counts: Record<string, number> = {}
  for (const { name } of tables) {
    const [row] = await sql<{ count: number }[]>`SELECT count(*)::int AS count FROM ${sql(name)}`
    counts[name] = row!.count
  }
  const [events] = await sql<{ count: number }[]>`
    SELECT count(*)::int AS count FROM events WHERE event_name NOT LIKE 'stateward.access.%'`
  return { ...counts, events: events!.count }
}

interface Answered {
  readonly status: number
  readonly text: string
}

function check(request: MalformedRequest, { status, text }: Answered): void {
  const about = `${request.method} ${request.url.slice(0, 200)} with ${request.what}`
  expect([about, text.slice(0, 500)]).toEqual([about, expect.not.stringMatching(INSIDE)])
  const range = request.isWrong ? 'refused' : 'answered'
  const found = status >= 400 && status < 500 ? 'refused' : status < 500 ? 'answered' : `failed with ${status}`
  expect([about, found]).toEqual([about, found === 'refused' ? 'refused' : range])
  if (found !== 'refused') return
  expect([about, JSON.parse(text)]).toEqual([
    about,
    {
      error: {
        code: expect.stringMatching(/^[a-z_]+$/),
        message: expect.any(String),
        details: expect.objectContaining({ ref: expect.stringMatching(/^SW_/) }),
      },
      correlation_id: expect.any(String),
    },
  ])
}

describe('a running server', () => {
  let installation: Installation
  let token: string

  beforeAll(async () => {
    installation = await createInstallation({})
    await installation.start({ limitsPerPrincipal: 0, limitsTotal: 0 })
    token = (await readFile(`${installation.dataDir}/credentials/admin`, 'utf8')).trim()
  })
  afterAll(() => installation.end())

  it.each(OPERATIONS.filter((each) => !isOfAgents(each)))(
    'refuses every malformed $method $path, tells nothing of the inside and changes nothing',
    async (described) => {
      const before = await state(installation.sql)
      for (const request of malformedRequests(document, described)) {
        const response = await fetch(installation.stateward.url + request.url, {
          method: request.method,
          headers: { authorization: `Bearer ${token}`, ...request.headers },
          ...(request.body === undefined ? {} : { body: request.body }),
        })
        check(request, { status: response.status, text: await response.text() })
      }
      expect(await state(installation.sql)).toEqual(before)
    },
  )

  it('refuses headers that are none of its own', async () => {
    const before = await state(installation.sql)
    for (const [name, value] of [
      ['authorization', "Bearer ' OR 1=1"],
      ['authorization', `Bearer ${'x'.repeat(9_000)}`],
      ['authorization', 'Bearer a.b.c'],
      ['x-api-key', 'swk_%00'],
      ['x-stateward-user', 'root; x'],
      ['idempotency-key', 'x'.repeat(300)],
      ['last-event-id', '-1'],
    ] as const) {
      const path = name === 'last-event-id' ? '/events/ui' : '/api/v1/events'
      const response = await fetch(installation.stateward.url + path, {
        method: name === 'last-event-id' ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', [name]: value },
        ...(name === 'last-event-id' ? {} : { body: '{"event_name":"test.header"}' }),
      })
      const what = { what: name, isWrong: true, method: 'POST', url: path, headers: {} }
      check(what, { status: response.status, text: await response.text() })
    }
    expect(await state(installation.sql)).toEqual(before)
  })
})

describe('the protocol of agents', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await startApi()
  })
  afterAll(() => api.stop())

  it.each(OPERATIONS.filter(isOfAgents))('refuses every malformed $method $path', async (described) => {
    for (const request of malformedRequests(document, described)) {
      const response = await api.server.app.inject({
        method: request.method as 'GET',
        url: request.url,
        headers: { ...asAgent, ...request.headers },
        ...(request.body === undefined ? {} : { payload: request.body }),
      })
      check(request, { status: response.statusCode, text: response.body })
    }
  })
})
