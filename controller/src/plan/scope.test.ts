import { describe, expect, test } from 'vitest'
import { agent, appliedFiles, desiredState, manifest } from '../../test/support/state-files.ts'
import { affectedBy } from './scope.ts'

const FILES = {
  't.yaml': manifest('AgentTemplate', 't', { runtime: { process: { command: ['node'], workdir: 'shared' } } }),
  'a.yaml': manifest('Agent', 'a', { templateRef: { name: 't' } }),
  'b.yaml': manifest('Blueprint', 'b', { plan: [{ id: 's', kind: 'agent_task', agent: 'a', prompt: 'p' }] }),
  'c.yaml': agent('c'),
  'p.yaml': agent('p', {}, { namespace: 'prod' }),
}
const affected = (touched: string[], paths: string[] = []) =>
  [...affectedBy(touched, paths, desiredState(FILES), appliedFiles(FILES))].sort()

describe('affectedBy', () => {
  test('is the object itself and who names it, directly or through others', () => {
    expect(affected(['Agent/default/c'])).toEqual(['Agent/default/c'])
    expect(affected(['AgentTemplate/default/t'])).toEqual([
      'Agent/default/a',
      'AgentTemplate/default/t',
      'Blueprint/default/b',
    ])
  })

  test('a file reaches the objects that use a directory above it', () => {
    expect(affected([], ['shared/deep/x.js'])).toEqual([
      'Agent/default/a',
      'AgentTemplate/default/t',
      'Blueprint/default/b',
    ])
    expect(affected([], ['README.md'])).toEqual([])
  })

  test('an environment reaches its namespace and no other', () => {
    expect(affected(['Environment/prod'])).toEqual(['Agent/prod/p', 'Environment/prod'])
  })

  test('an object that only the store still has is reached through its environment', () => {
    const { 'p.yaml': _gone, ...left } = FILES
    expect([...affectedBy(['Environment/prod'], [], desiredState(left), appliedFiles(FILES))]).toContain('Agent/prod/p')
  })

  test('a namespace of any size is reached', () => {
    const [one] = appliedFiles({ 'a.yaml': agent('a') }).values()
    const many = new Map(Array.from({ length: 150_000 }, (_, i) => [`Agent/default/a${i}`, { ...one!, name: `a${i}` }]))
    expect(affectedBy(['Environment/default'], [], desiredState({}), many).size).toBe(150_001)
  })

  test('references in a circle end', () => {
    const circle = {
      'a.yaml': agent('a', { parentRef: { name: 'b' } }),
      'b.yaml': agent('b', { parentRef: { name: 'a' } }),
    }
    expect(affectedBy(['Agent/default/a'], [], desiredState(circle), new Map()).size).toBe(2)
  })
})
