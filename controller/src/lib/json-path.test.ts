import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { valuesAtPath } from './json-path.ts'

const agent = {
  metadata: { name: 'sre', labels: { 'stateward.dev/team': 'platform' } },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Healthy', status: 'False', count: 2 },
    ],
    instances: [{ pid: 11 }, { pid: 12 }],
  },
}

describe('valuesAtPath', () => {
  it.each([
    ['.metadata.name', ['sre']],
    ['{.metadata.name}', ['sre']],
    ['$.metadata.name', ['sre']],
    ["['metadata']['name']", ['sre']],
    ['.metadata.labels.stateward\\.dev/team', ['platform']],
    ["['metadata'].labels['stateward.dev/team']", ['platform']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    ["['status'].conditions[?(@.type=='Ready')].status", ['True']],
    ['.status.conditions[?(@.type!="Ready")].type', ['Healthy']],
    ['.status.conditions[?(@.count==2)].type', ['Healthy']],
    ['.status.instances[0].pid', [11]],
    ['.status.instances[-1].pid', [12]],
    ['.status.instances[*].pid', [11, 12]],
    ['.status.missing.deeper', []],
    ['.status.instances[9].pid', []],
    ['.metadata.name[0]', []],
    ['.', [agent]],
  ])('%s leads to %j', (path, expected) => {
    expect(valuesAtPath(agent, path)).toEqual(expected)
  })

  it.each(['metadata', '.a[', '.a[?(@.b>1)]', '.a..b', '.a[x]'])('refuses %s with a reason', (path) => {
    expect(() => valuesAtPath(agent, path)).toThrow(SyntaxError)
  })

  it('does not read what an object inherits', () => {
    expect(valuesAtPath({}, '.constructor')).toEqual([])
  })

  it('finds every key written in brackets', () => {
    fc.assert(
      fc.property(
        fc.string().filter((key) => !/['\\]/.test(key)),
        (key) => {
          expect(valuesAtPath({ [key]: 1 }, `['${key}']`)).toEqual([1])
        },
      ),
    )
  })
})
