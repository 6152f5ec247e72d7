import fc from 'fast-check'
import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { KINDS } from '../kinds/registry.ts'
import { isObject } from '../lib/json.ts'
import { isStatusPath, renderStatus, statusPath, withoutPointer } from './render-object.ts'

const AGENT = { kind: 'Agent', namespace: 'default', name: 'sre', uid: 'u-1', generation: 2 }

describe('renderStatus', () => {
  test('is the envelope and the status, keys sorted, without what moves by itself', () => {
    const status = {
      phase: 'Running',
      effectiveDigest: 'abc',
      instances: [{ pid: 7, id: 'i-1', host: 'local', lastHeartbeatTime: 'now', restartCount: 3 }],
      usage: { tasks: 9 },
      conditions: [],
    }
    expect(renderStatus({ ...AGENT, status })).toBe(`apiVersion: stateward.dev/v1alpha1
kind: Agent
metadata:
  name: sre
  namespace: default
  uid: u-1
  generation: 2
status:
  conditions: []
  effectiveDigest: abc
  instances:
    - host: local
      id: i-1
  phase: Running
`)
  })

  test('a heartbeat, a pid and a counter change nothing', () => {
    const at = (pid: number) =>
      renderStatus({
        ...AGENT,
        status: {
          instances: [{ id: 'i', pid, lastHeartbeatTime: `${pid}`, startedAt: `${pid}`, currentTask: `${pid}` }],
          usage: { tokens: pid },
        },
      })
    expect(at(1)).toBe(at(2))
  })

  const turned = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(turned)
      : isObject(value)
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, member]) => [key, turned(member)]),
          )
        : value

  test('is the same text for the same status, and YAML that says the status again', () => {
    const statuses = fc
      .dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: true })
      .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>)
    fc.assert(
      fc.property(statuses, (status) => {
        const host = { kind: 'Budget', namespace: 'x', name: 'b', uid: 'u', generation: 1 }
        const text = renderStatus({ ...host, status })
        expect(renderStatus({ ...host, status: turned(status) as Record<string, unknown> })).toBe(text)
        expect((load(text) as { status: unknown }).status).toEqual(status)
      }),
      { numRuns: 500 },
    )
  })
})

describe('paths of the status branch', () => {
  test('are by namespace, plural and name; kinds without a namespace stand apart', () => {
    expect(statusPath(AGENT)).toBe('default/agents/sre.yaml')
    expect(statusPath({ kind: 'Host', namespace: '', name: 'local' })).toBe('_cluster/hosts/local.yaml')
  })

  test('are told from the files of others', () => {
    for (const { kind, scope } of KINDS)
      expect(isStatusPath(statusPath({ kind, namespace: scope === 'Cluster' ? '' : 'prod', name: 'a.b' }))).toBe(true)
    for (const path of [
      'README.md',
      'default/notes.yaml',
      'default/agents/sre.txt',
      'default/agent/sre.yaml',
      'a/default/agents/sre.yaml',
      '/agents/x.yaml',
    ])
      expect(isStatusPath(path)).toBe(false)
  })
})

test('withoutPointer takes away what is there and nothing else', () => {
  const value = { a: [{ b: 1, c: 2 }, { c: 3 }], d: 1 }
  expect(withoutPointer(value, ['a', '*', 'c'])).toEqual({ a: [{ b: 1 }, {}], d: 1 })
  expect(withoutPointer(value, ['d'])).toEqual({ a: value.a })
  expect(withoutPointer(value, ['none', 'x'])).toBe(value)
  expect(value.d).toBe(1)
})
