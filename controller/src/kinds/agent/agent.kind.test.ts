import { expect, test } from 'vitest'
import { agent } from './agent.kind.ts'

const process = (fields: object) => ({ runtime: { process: fields } })

test('an agent names its template, supervisor and project', () => {
  expect(agent.references({ templateRef: { name: 't' }, parentRef: { name: 'p' }, projectRef: { name: 'j' } })).toEqual(
    [
      { kind: 'AgentTemplate', name: 't', pointer: '/spec/templateRef/name', strength: 'required' },
      { kind: 'Agent', name: 'p', pointer: '/spec/parentRef/name', strength: 'required' },
      { kind: 'Project', name: 'j', pointer: '/spec/projectRef/name', strength: 'required' },
    ],
  )
  expect(agent.references({})).toEqual([])
})

test('its workdir is a tree of the state repo', () => {
  expect(agent.files(process({ workdir: 'agents/sre' }))).toEqual([
    { type: 'tree', path: 'agents/sre', pointer: '/spec/runtime/process/workdir' },
  ])
  expect(agent.files({})).toEqual([])
})

test('a heartbeat times out later than it comes', () => {
  expect(agent.check({ heartbeat: { interval: '30s', timeout: '90s' } })).toEqual([])
  expect(agent.check({ heartbeat: { interval: '30s' } })).toEqual([])
  expect(agent.check({ heartbeat: { interval: '1m', timeout: '60s' } })).toEqual([
    expect.objectContaining({ pointer: '/spec/heartbeat/timeout' }),
  ])
})

test('a bare prompt on stdin is for perTask commands', () => {
  expect(agent.check(process({ stdin: 'prompt', mode: 'perTask' }))).toEqual([])
  expect(agent.check(process({ stdin: 'prompt', mode: 'daemon' }))).toEqual([
    expect.objectContaining({ pointer: '/spec/runtime/process/stdin' }),
  ])
})

test('the program has a name', () => {
  expect(agent.check(process({ command: ['', 'x'] }))).toEqual([
    expect.objectContaining({ pointer: '/spec/runtime/process/command/0' }),
  ])
})

test('a runtime is one of its kinds', () => {
  const pod = { image: 'sre:1' }
  expect(agent.check({ runtime: { pod } })).toEqual([])
  // A template gives the image.
  expect(agent.check({ runtime: { pod: { nodeSelector: { disk: 'ssd' } } } })).toEqual([])
  expect(agent.check({ runtime: { pod, model: {} } })).toEqual([
    expect.objectContaining({ pointer: '/spec/runtime/model', message: expect.stringContaining('pod and model') }),
  ])
  expect(agent.check({ runtime: { process: { command: ['x'] }, pod, external: {} } })).toEqual([
    expect.objectContaining({ pointer: '/spec/runtime/pod' }),
  ])
})
