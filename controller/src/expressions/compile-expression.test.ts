import { describe, expect, test } from 'vitest'
import { compileExpression, variablesOf } from './compile-expression.ts'
import { createScope } from './scope.ts'

const scope = createScope({
  inputs: {
    host: { type: 'string' },
    port: { type: 'integer' },
    tags: { type: 'array', items: { type: 'string' } },
    anything: null,
  },
  steps: {
    analyze: { type: 'object', additionalProperties: false, properties: { severity: { type: 'string' } } },
    fix: null,
  },
  event: true,
  run: true,
  env: true,
})

function problemOf(text: string, expect?: 'bool') {
  const result = compileExpression(text, scope, expect)
  return result.ok ? null : result.problem
}

describe('compileExpression', () => {
  test.each([
    "inputs.host == 'web-1'",
    'inputs.port + 1',
    'inputs.port in [22, 80]',
    'inputs.port == 22 && 22 == inputs.port',
    "inputs['host']",
    'has(inputs.anything.x)',
    'steps.fix.output.anything.at.all',
    "steps.analyze.output.severity != 'low'",
    'steps.analyze.output.?more.orValue(null)',
    "event.data.state == 'CRIT'",
    'inputs.tags.map(inputs, inputs + run.name)',
    'cel.bind(steps, inputs.host, steps + env.stage)',
    "{'a': 1, 'b': inputs.host}",
    'inputs',
  ])('accepts %s', (text) => {
    expect(problemOf(text)).toBeNull()
  })

  test.each([
    ['inputs.hosst', 7, 'did you mean "host"?'],
    ['has(inputs.hosst)', 11, 'did you mean "host"?'],
    ['1 + steps.analyse.output', 10, 'did you mean "analyze"?'],
    ['steps.fix.outptu', 10, 'did you mean "output"?'],
    ['steps.analyze.output.sevrity', 21, 'did you mean "severity"?'],
    ['event.dat.x', 6, 'did you mean "data"?'],
    ['host', 0, 'write inputs.host'],
    ['fix.stdout', 0, 'write steps.fix.output'],
    ['input.host', 0, 'did you mean "inputs"?'],
    ['size(steps)', 5, 'write steps.<id>.output'],
    ['steps[inputs.host].output', 0, 'write steps.<id>.output'],
    ['inputs.tags[inputs.porrt]', 19, 'did you mean "port"?'],
  ])('names the unknown part of %s with its offset and the nearest known name', (text, offset, hint) => {
    expect(problemOf(text)).toMatchObject({ code: 'SW_UNKNOWN_NAME', offset, hint })
  })

  test('reports syntax errors and type errors with their offset', () => {
    expect(problemOf('inputs.host ==')).toMatchObject({ code: 'SW_EXPRESSION_SYNTAX', offset: 14 })
    expect(problemOf('true || inputs.host + 1 == 2')).toMatchObject({ code: 'SW_EXPRESSION_TYPE', offset: 8 })
    expect(problemOf('inputs.host', 'bool')).toMatchObject({ code: 'SW_EXPRESSION_TYPE', offset: 0 })
    expect(problemOf('inputs.anything', 'bool')).toBeNull()
  })

  test('refuses a text that would keep the parser busy', () => {
    expect(problemOf(`${'('.repeat(500)}1${')'.repeat(500)}`)).toMatchObject({ code: 'SW_EXPRESSION_SYNTAX' })
  })

  test('knows which steps and inputs an expression mentions', () => {
    const mentions = variablesOf("steps.fix.status == 'failed' ? inputs.host : steps['analyze'].output.severity", scope)
    expect([...mentions.steps].sort()).toEqual(['analyze', 'fix'])
    expect([...mentions.inputs]).toEqual(['host'])
    expect(variablesOf('inputs.tags.exists(steps, steps == inputs.host)', scope).steps.size).toBe(0)
    expect(variablesOf('inputs', scope).inputs.size).toBe(4)
    expect(variablesOf('not CEL at all', scope).inputs.size).toBe(0)
  })
})
