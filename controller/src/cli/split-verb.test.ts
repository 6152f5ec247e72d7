import { describe, expect, it } from 'vitest'
import { splitVerb } from './split-verb.ts'

describe('splitVerb', () => {
  it.each([
    [[], { name: null, args: ['--help'], leading: {} }],
    [['--data', 'd'], { name: null, args: ['--help'], leading: { data: 'd' } }],
    [['get', 'agents'], { name: 'get', args: ['get', 'agents'], leading: {} }],
    [['--data', 'd', 'get', 'agents'], { name: 'get', args: ['get', 'agents'], leading: { data: 'd' } }],
    [['--server=http://h', 'run', 'x'], { name: 'run', args: ['run', 'x'], leading: { server: 'http://h' } }],
    [['--keep-agents', 'up'], { name: 'up', args: ['up'], leading: { keepAgents: true } }],
    [['--version'], { name: 'version', args: ['version'], leading: {} }],
    [['-V'], { name: 'version', args: ['version'], leading: {} }],
    [['help', 'get'], { name: 'get', args: ['help', 'get'], leading: {} }],
    [['--help'], { name: null, args: ['--help'], leading: {} }],
    [['--nope', 'get'], { name: null, args: ['--nope', 'get'], leading: {} }],
    [['--data'], { name: null, args: ['--data'], leading: {} }],
  ])('reads %j', (argv, expected) => {
    expect(splitVerb(argv)).toEqual(expected)
  })
})
