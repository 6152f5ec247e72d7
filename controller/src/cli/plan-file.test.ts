import { describe, expect, it } from 'vitest'
import { fakeTerminal } from '../../test/support/fake-terminal.ts'
import { readPlanFile } from './plan-file.ts'

const read = (input: string) => readPlanFile('-', fakeTerminal({ input }))

describe('readPlanFile', () => {
  it('takes a list of steps, and a request with one, as YAML or JSON', async () => {
    const plan = [{ skill: 'http.call', params: { url: 'http://localhost' } }]
    expect(await read('- skill: http.call\n  params: {url: "http://localhost"}\n')).toEqual({ plan })
    expect(await read(JSON.stringify({ name: 'n', plan, budget_cents: 5 }))).toEqual({
      name: 'n',
      plan,
      budget_cents: 5,
    })
  })

  it.each([
    ['text', 'holds no plan'],
    ['plan: x', 'holds no plan'],
    ['[', 'cannot be read'],
    ['{plan: [], host: a}', 'has the field host'],
  ])('refuses %s', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message)
  })
})
