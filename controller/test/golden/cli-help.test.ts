import { describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { VERBS } from '../../src/cli/verbs.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'

async function help(...argv: string[]): Promise<string> {
  const terminal = fakeTerminal()
  expect(await runProgram(argv, terminal)).toBe(0)
  expect(terminal.errors()).toBe('')
  return terminal.output()
}

describe('--help', () => {
  it('lists every verb by what it is for', async () => {
    const text = await help('--help')
    for (const { name, summary } of VERBS) expect(text).toMatch(new RegExp(`^  ${name} +${summary.slice(0, 20)}`, 'm'))
    await expect(text).toMatchFileSnapshot('./cli/help.txt')
    expect(await help()).toBe(text)
  })

  it.each(VERBS.map(({ name }) => name))('%s says what it does, and shows commands to copy', async (name) => {
    const text = await help(name, '--help')
    expect(text).toContain(`Usage: stateward ${name}`)
    expect(text).toMatch(/\nExamples:\n {2}\S/)
    expect(await help('help', name)).toBe(text)
  })

  it('shows the settings of a verb with their variables', async () => {
    await expect(await help('get', '--help')).toMatchFileSnapshot('./cli/help-get.txt')
  })
})

describe('wrong usage', () => {
  it.each([
    ['unknown-verb', ['gte'], 'unknown command'],
    ['missing-argument', ['get'], "missing required argument 'kinds'"],
    ['unknown-option', ['get', 'agents', '--wid'], "unknown option '--wid'"],
    ['wrong-choice', ['get', 'agents', '-o', 'xml'], 'Allowed choices are'],
    ['wrong-number', ['events', '--limit', 'x'], 'It must be a number'],
    ['no-kind', ['describe', 'sre'], 'write kind/name'],
    ['wrong-json', ['emit', 'a.b', '--data', '{'], '--data is not JSON'],
    ['wrong-setting', ['get', 'agents', '--server', 'ftp://x'], 'server is no http address'],
  ])('%s ends with a remedy', async (name, argv, message) => {
    const terminal = fakeTerminal()
    const code = await runProgram(argv, terminal)
    expect(code).toBe(name === 'wrong-setting' ? 1 : 2)
    expect(terminal.output()).toBe('')
    expect(terminal.errors()).toContain(message)
    expect(terminal.errors()).toMatch(/\n {2}remedy: .+ \[SW_[A-Z_]+\]\n$/)
  })
})
