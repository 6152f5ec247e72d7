import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agent, desiredState, manifest, parsed } from '../../test/support/state-files.ts'
import { DesiredState, targetKey } from './desired-state.ts'

const stateOf = (desired: DesiredState, keys: Iterable<string>) => ({
  size: desired.size,
  keys: [...desired.keys()].sort(),
  troubled: [...desired.troubled()].map(({ path }) => path).sort(),
  paths: [...desired.paths()].sort(),
  named: [...keys].map((key) => [...desired.namedBy(key)].sort()),
  files: [...desired.filePaths()].sort(),
  users: [...desired.usersOfFile('agents/a/main.js')].sort(),
  ignored: desired.ignored(),
  issues: desired.issues().length,
})

describe('DesiredState', () => {
  test('answers with the keys that may have changed', () => {
    const desired = new DesiredState()
    expect([...desired.put(parsed('x.yaml', agent('a')))]).toEqual(['Agent/default/a'])
    expect([...desired.put(parsed('x.yaml', agent('b')))].sort()).toEqual(['Agent/default/a', 'Agent/default/b'])
    expect([...desired.put(parsed('x.yaml', agent('b', { replicas: 'x' })))]).toEqual(['Agent/default/b'])
    expect([...desired.remove('x.yaml')]).toEqual(['Agent/default/b'])
    expect([...desired.remove('never.yaml')]).toEqual([])
    expect(desired.size).toBe(0)
  })

  test('an object that is declared twice has no declaration that counts', () => {
    const desired = desiredState({ 'x.yaml': agent('a'), 'y.yaml': agent('a') })
    expect(desired.get('Agent/default/a')).toBeNull()
    expect(desired.all('Agent/default/a')).toHaveLength(2)
    desired.remove('y.yaml')
    expect(desired.get('Agent/default/a')?.resource.origin.file).toBe('x.yaml')
  })

  test('knows who names an object, alternatives and cluster-scoped targets included', () => {
    const desired = desiredState({
      'a.yaml': agent(
        'a',
        { templateRef: { name: 't' }, dependsOn: [{ kind: 'Host', name: 'h' }] },
        { namespace: 'prod' },
      ),
      'b.yaml': manifest('Blueprint', 'b', {
        plan: [{ id: 's', kind: 'agent_task', agent: 'x', model: 'm', prompt: 'p' }],
      }),
    })
    expect([...desired.namedBy('AgentTemplate/prod/t')]).toEqual(['Agent/prod/a'])
    expect([...desired.namedBy('Host/h')]).toEqual(['Agent/prod/a'])
    expect([...desired.namedBy('Agent/default/x')]).toEqual(['Blueprint/default/b'])
    expect([...desired.namedBy('Agent/default/nobody')]).toEqual([])
    expect(targetKey('Host', 'prod', 'h')).toBe('Host/h')
  })

  test('knows who uses a file below a directory, through an Environment too', () => {
    const runtime = (workdir: string) => ({ runtime: { process: { command: ['node'], workdir } } })
    const desired = desiredState({
      'a.yaml': manifest('Agent', 'a', runtime('agents/a')),
      'e.yaml': manifest('Environment', 'prod', {
        overrides: [{ target: { kind: 'Agent', name: 'a' }, patch: runtime('agents/b') }],
      }),
    })
    expect([...desired.usersOfFile('agents/a/src/main.js')]).toEqual(['Agent/default/a'])
    expect([...desired.usersOfFile('agents/ab')]).toEqual([])
    expect([...desired.usersOfFile('agents/b/x')]).toEqual(['Environment/prod'])
    expect([...desired.filePaths()].sort()).toEqual(['agents/a', 'agents/b'])
  })

  test('after any row of changes it is what the files that are left make of it', () => {
    const contents = fc.constantFrom(
      agent('a', { templateRef: { name: 't' } }),
      agent('b', { parentRef: { name: 'a' }, replicas: 'broken' }),
      [agent('a'), agent('c', { runtime: { process: { command: ['x'], workdir: 'agents/a' } } })].join('---\n'),
      manifest('AgentTemplate', 't', { runtime: { process: { workdir: 'agents/a' } } }),
      'foreign: true\n',
      'apiVersion: stateward.dev/v1alpha1\nbroken: [\n',
    )
    const step = fc.record({ path: fc.constantFrom('1.yaml', '2.yaml', '3.yaml'), content: fc.option(contents) })
    const names = ['Agent/default/a', 'AgentTemplate/default/t']
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const desired = new DesiredState()
        const files: Record<string, string> = {}
        for (const { path, content } of steps) {
          if (content === null) {
            desired.remove(path)
            delete files[path]
          } else {
            desired.put(parsed(path, content))
            files[path] = content
          }
        }
        expect(stateOf(desired, names)).toEqual(stateOf(desiredState(files), names))
      }),
    )
  })
})
