import { describe, expect, it } from 'vitest'
import type { Principal } from '../auth/principal.ts'
import { verbsOf } from '../auth/roles.ts'
import { ROUTES } from '../routes.ts'
import { inputFor, requestOf, toolRoutes } from './tool-routes.ts'

const tools = toolRoutes(ROUTES)
const sre: Principal = {
  type: 'agent',
  name: 'agent:default/sre',
  instanceId: 'instance-1',
  agentUid: 'uid-1',
  namespace: 'default',
  agent: 'sre',
  verbs: verbsOf(['agent']),
}
const ada: Principal = { type: 'admin', name: 'user:ada', verbs: verbsOf(['admin']) }

describe('tools of routes', () => {
  it('have names that every model provider takes, and schemas that are plain JSON', () => {
    for (const [name, { input, output }] of tools) {
      expect(name).toMatch(/^[a-z][a-z_]{0,63}$/)
      const text = JSON.stringify([input, output])
      expect(text).not.toMatch(/"(~|x-)/)
      expect(text).not.toContain('#/components/')
    }
  })

  it('put each argument where its route has it', () => {
    expect(requestOf(tools.get('messages_ack')!, ada, { message: 'a/b', agent: 'sre' })).toEqual({
      method: 'POST',
      url: '/api/v1/messages/a%2Fb/ack?agent=sre',
      body: undefined,
    })
    expect(requestOf(tools.get('tasks_report')!, sre, { task_id: 't', attempt: 1, status: 'completed' })).toEqual({
      method: 'PATCH',
      url: '/api/v1/tasks/t',
      body: { attempt: 1, status: 'completed' },
    })
    expect(requestOf(tools.get('runs_list')!, ada, { limit: 5, unknown: { a: 1 } }).url).toBe(
      '/api/v1/runs?limit=5&unknown=%7B%22a%22%3A1%7D',
    )
  })

  it('know an agent by its token, and let nobody else leave out who he speaks for', () => {
    const pickup = tools.get('tasks_pickup')!
    expect(inputFor(pickup, sre).required).toEqual([])
    expect(inputFor(pickup, ada).required).toEqual(['agent', 'instance_id'])
    expect(requestOf(pickup, sre, { max: 2 })).toEqual({
      method: 'POST',
      url: '/api/v1/agents/uid-1/pickup',
      body: { instance_id: 'instance-1', max: 2 },
    })
  })

  it('need a route, and names that are there once', () => {
    expect(() => toolRoutes([])).toThrow(TypeError)
  })
})
