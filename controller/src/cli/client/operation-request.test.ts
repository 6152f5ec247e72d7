import { describe, expect, it } from 'vitest'
import { operationRequest } from './operation-request.ts'

describe('operationRequest', () => {
  it('puts members of the path into it, encoded, and the rest into the query', () => {
    expect(operationRequest('readStep', { run: 'a/b', step: 'each[3].fix', namespace: 'prod' })).toEqual({
      method: 'GET',
      path: '/api/v1/runs/a%2Fb/steps/each%5B3%5D.fix',
      query: { namespace: 'prod' },
      body: undefined,
    })
  })

  it('keeps the body apart', () => {
    expect(operationRequest('cancelRun', { run: 'x', body: { reason: 'gone' } })).toEqual({
      method: 'POST',
      path: '/api/v1/runs/x/cancel',
      query: {},
      body: { reason: 'gone' },
    })
  })
})
