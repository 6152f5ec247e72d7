import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fail } from '../../src/lib/error-catalogue.ts'
import { createRun } from '../support/api-rows.ts'
import { asAdmin, newId, startApi, type TestApi } from '../support/api-server.ts'

let api: TestApi
/** The operation of each request that got through to the service, and what the service does with it. */
const operations: (string | undefined)[] = []
let serve: () => Promise<{ runId: string }>

beforeAll(async () => {
  api = await startApi({
    services: {
      runs: {
        create: (_request, caller) => {
          operations.push(caller.operation)
          return serve()
        },
      },
    },
  })
})
afterAll(() => api.stop())
beforeEach(() => {
  operations.length = 0
  serve = async () => ({ runId: await createRun(api.store, { name: `run-${newId().slice(-8)}` }) })
})

const post = (key: string | null, blueprint = 'fix') =>
  api.server.app.inject({
    method: 'POST',
    url: '/api/v1/runs',
    payload: { blueprint_ref: blueprint },
    headers: { ...asAdmin, ...(key === null ? {} : { 'idempotency-key': key }) },
  })
const unreachable = async (): Promise<never> => {
  throw fail('SW_DATABASE_UNREACHABLE', 'the connection was lost around the commit')
}

describe('a request under an Idempotency-Key whose answer was lost', () => {
  it('is the same operation when it comes again, so that it is not done twice', async () => {
    const works = serve
    serve = unreachable
    expect((await post('lost')).statusCode).toBe(503)
    expect((await post('lost')).statusCode).toBe(503)
    serve = works
    const answer = await post('lost')
    expect(answer.statusCode).toBe(201)
    expect(new Set(operations).size).toBe(1)
    expect(operations).toHaveLength(3)
    // Once it is answered, it is not done again.
    expect((await post('lost')).json()).toEqual(answer.json())
    expect(operations).toHaveLength(3)
  })

  it('is taken up at once when its process is gone', async () => {
    const dead = newId()
    await api.store.engine`
      INSERT INTO idempotency_keys (principal, route, key, request_digest, status, response, created_at)
      SELECT principal, route, 'dead', request_digest, 0, jsonb_build_object('operation', ${newId()}::text, 'writer', ${dead}::text), now()
      FROM idempotency_keys WHERE key = 'lost'`
    const [row] = await api.store.engine<{ operation: string }[]>`
      SELECT response ->> 'operation' AS operation FROM idempotency_keys WHERE key = 'dead'`
    expect((await post('dead')).statusCode).toBe(201)
    expect(operations).toEqual([row!.operation])
  })

  it('is another operation when something else is asked for under its key', async () => {
    const works = serve
    serve = unreachable
    await post('changed')
    serve = works
    expect((await post('changed', 'other')).statusCode).toBe(201)
    expect(new Set(operations).size).toBe(2)
  })

  it('is refused while it is under way', async () => {
    let finish: () => void = () => {}
    const works = serve
    serve = async () => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return works()
    }
    const first = post('busy')
    while (operations.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    const second = await post('busy')
    expect([second.statusCode, second.json().error.code]).toEqual([409, 'conflict'])
    finish()
    expect((await first).statusCode).toBe(201)
  })

  it('has no operation without a key', async () => {
    await post(null)
    expect(operations).toEqual([undefined])
  })
})
