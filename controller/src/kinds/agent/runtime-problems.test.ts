import { expect, it } from 'vitest'
import { agent } from './agent.kind.ts'

const pod = (fields: object, more: object = {}) => ({ runtime: { pod: { image: 'coder:1', ...fields } }, ...more })
const pointers = (spec: object) => agent.check(spec as never).map(({ pointer }) => pointer)

it('what means something on hosts only is refused elsewhere, with what to do instead', () => {
  const hosts = {
    hostSelector: { matchLabels: { zone: 'eu' } },
    resources: { memory: '1Gi', slots: 2 },
    dataAccess: 'bulk',
    keepWorkspace: true,
  }
  const expected = ['hostSelector', 'resources/memory', 'resources/slots', 'dataAccess', 'keepWorkspace'].map(
    (field) => `/spec/${field}`,
  )
  expect(pointers(pod({}, hosts))).toEqual(expected)
  expect(pointers({ runtime: { model: {} }, ...hosts })).toEqual(expected)
  expect(pointers({ runtime: { external: {} }, ...hosts })).toEqual(expected)
  expect(pointers({ runtime: { process: { command: ['x'] } }, ...hosts })).toEqual([])
  const [selector] = agent.check(pod({}, hosts) as never)
  expect(selector).toMatchObject({ code: 'SW_BAD_VALUE', hint: expect.stringContaining('nodeSelector') })
})

it('defaults, and what says nothing, are fine everywhere', () => {
  const more = { hostSelector: {}, resources: { slots: 1 }, dataAccess: 'bus', keepWorkspace: false }
  expect(pointers(pod({ mode: 'daemon', stdin: 'json' }, more))).toEqual([])
  expect(pointers(pod({ mode: 'perTask', stdin: 'prompt', ttlSecondsAfterFinished: 0 }, more))).toEqual([])
})

it('what is for tasks is refused with a daemon', () => {
  expect(pointers(pod({ mode: 'daemon', stdin: 'prompt', ttlSecondsAfterFinished: 5 }))).toEqual([
    '/spec/runtime/pod/stdin',
    '/spec/runtime/pod/ttlSecondsAfterFinished',
  ])
})

it('a pod of a task has its command in the whole of its spec, which a template may give', () => {
  expect(agent.checkMerged(pod({ mode: 'perTask' }))).toMatchObject([
    { code: 'SW_MISSING_FIELD', pointer: '/spec/runtime/pod/command' },
  ])
  expect(agent.checkMerged(pod({ mode: 'perTask', command: ['x'] }))).toEqual([])
  expect(agent.checkMerged(pod({ mode: 'daemon' }))).toEqual([])
})

it('its files are a tree, whatever its runtime', () => {
  expect(agent.files(pod({ workdir: 'agents/coder' }))).toEqual([
    { type: 'tree', path: 'agents/coder', pointer: '/spec/runtime/pod/workdir' },
  ])
})
