import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const open: Installation[] = []
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})

const adding = (expression: string) =>
  manifest('Blueprint', 'inner', {
    inputs: [{ name: 'n', schema: { type: 'number' }, required: true }],
    plan: [{ id: 'sum', kind: 'transform', expression }],
    outputs: [{ name: 'sum', value: '{{ steps.sum.output }}' }],
  })
const calling = (name: string, ref: string, read: string) =>
  manifest('Blueprint', name, {
    inputs: [{ name: 'n', schema: { type: 'number' }, default: 1 }],
    plan: [{ id: 'call', kind: 'blueprint', ref, inputs: { n: '{{ inputs.n }}' } }],
    outputs: [{ name: 'sum', value: `{{ steps.call.output.${read} }}` }],
  })

/** The outputs of a run of a blueprint, when it has ended. */
async function outputsOf(here: Installation, blueprint: string): Promise<unknown> {
  const { status, body } = await here.post('/api/v1/runs', { blueprint_ref: blueprint })
  expect(status).toBe(201)
  let outputs: unknown
  await until('the run to end', async () => {
    const [run] = await here.sql<{ status: string; outputs: unknown }[]>`
      SELECT status, outputs FROM runs WHERE run_id = ${String(body['run_id'])}`
    outputs = run!.outputs
    return run!.status === 'completed'
  })
  return outputs
}

const digestOf = (here: Installation, name: string) => here.object(`Blueprint/default/${name}`).status['planDigest']

describe('blueprints that call each other, from commits', () => {
  it('are compiled together: a change of the innermost reaches every caller, a circle is refused', async () => {
    const here = await createInstallation({
      // Callers before what they call, in the order of names and of files.
      'a.yaml': calling('a-outer', 'b-middle', 'sum'),
      'b.yaml': calling('b-middle', 'inner', 'sum'),
      'inner.yaml': adding('inputs.n + 1'),
    })
    open.push(here)
    await here.start()
    for (const name of ['a-outer', 'b-middle', 'inner'])
      await here.untilCondition(`Blueprint/default/${name}`, 'Ready', 'True')
    expect(here.object('Blueprint/default/a-outer').status['steps']).toBe(3)
    expect(await outputsOf(here, 'a-outer')).toEqual({ sum: 2 })
    const before = digestOf(here, 'a-outer')

    await here.apply({ 'inner.yaml': adding('inputs.n + 10') })
    await until('the outermost to be compiled anew', () => digestOf(here, 'a-outer') !== before)
    expect(await outputsOf(here, 'a-outer')).toEqual({ sum: 11 })

    // What it calls is broken: the last good revisions stay in force.
    await here.apply({ 'inner.yaml': calling('inner', 'a-outer', 'sum') })
    await here.untilCondition('Blueprint/default/inner', 'Ready', 'False', 'DependencyCycle')
    expect(await outputsOf(here, 'a-outer')).toEqual({ sum: 11 })
  })
})
