import { describe, expect, it } from 'vitest'
import { kindByWord } from '../../src/cli/kinds/kind-table.ts'
import { ObjectTable, type ObjectTableOptions } from '../../src/cli/print/object-table.ts'
import { documentOf, renderJson, renderNames, renderYaml } from '../../src/cli/print/structured.ts'
import { renderSync } from '../../src/cli/print/sync.ts'
import { agent, brokenAgent, COLORS, NOW, PLAIN, policy, runObject } from './cli/objects.ts'

const table = (word: string, options: Partial<ObjectTableOptions> = {}) =>
  new ObjectTable(kindByWord(word), {
    wide: false,
    withNamespace: false,
    withKind: false,
    width: null,
    colors: PLAIN,
    ...options,
  })
const golden = (text: string, name: string) => expect(text).toMatchFileSnapshot(`./cli/get-${name}.txt`)

describe('what get prints', () => {
  it('is a table of agents', () => golden(table('agents').render([agent, brokenAgent], NOW), 'agents'))

  it('has every column with -o wide, and namespaces with -A', () =>
    golden(table('agents', { wide: true, withNamespace: true }).render([agent, brokenAgent], NOW), 'agents-wide'))

  it('fits a terminal of 80 columns', () => {
    const text = table('agents', { width: 80 }).render([agent, brokenAgent], NOW)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    return golden(text, 'agents-80-columns')
  })

  it('says of a kind that is only accepted that it is not enforced', () =>
    golden(table('policies', { withKind: true }).render([policy], NOW), 'policies'))

  it('shows of runs what they wait for', () =>
    golden(table('runs').render([runObject('running'), runObject('completed'), runObject('failed')], NOW), 'runs'))

  it('puts what changes later below the first rows', () => {
    const watched = table('agents')
    return golden(
      watched.render([agent], NOW) + watched.render([{ ...agent, status: brokenAgent.status }], NOW),
      'agents-watch',
    )
  })

  it('has colours on a terminal that wants them', () =>
    golden(table('agents', { colors: COLORS }).render([agent, brokenAgent], NOW), 'agents-colours'))

  it('is a List in JSON and YAML, and one object when one was named', async () => {
    await golden(renderJson(documentOf([agent, brokenAgent], false, '7')), 'list-json')
    await golden(renderYaml(documentOf([agent], true, '7')), 'object-yaml')
    await golden(renderNames(kindByWord('agents'), [agent, brokenAgent]), 'names')
  })
})

describe('what reconcile --wait prints', () => {
  it('is what changed, what was held back and why, and every problem', () =>
    golden(
      renderSync(
        {
          source: 'state',
          revision: 'ab'.repeat(20),
          outcome: 'partial',
          counts: { create: 1, update: 1, unchanged: 12, delete: 1, skip: 0, blocked: 1 },
          changes: [
            { kind: 'Agent', namespace: 'default', name: 'new', action: 'create' },
            {
              kind: 'Agent',
              namespace: 'default',
              name: 'sre',
              action: 'update',
              reason: 'AgentTemplate/default/engineer',
            },
            { kind: 'Host', namespace: '', name: 'old', action: 'delete' },
            {
              kind: 'Blueprint',
              namespace: 'default',
              name: 'fix',
              action: 'blocked',
              reason: 'ValidationFailed',
              message: 'blueprints/fix.yaml:3:5: unknown field',
            },
          ],
          issues: [
            {
              code: 'SW_UNKNOWN_FIELD',
              severity: 'error',
              message: 'spec has no field "plann"',
              hint: 'did you mean plan?',
              file: 'blueprints/fix.yaml',
              line: 3,
              column: 5,
              object: 'Blueprint/default/fix',
            },
          ],
        },
        PLAIN,
      ),
      'reconcile',
    ))
})
