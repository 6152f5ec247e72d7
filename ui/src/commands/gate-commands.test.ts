import { describe, expect, it } from 'vitest'
import { gateCommands } from './gate-commands.ts'

const gate = {
  ...{ run: 'fix-k3q9zt', namespace: 'default', step: 'approve', mode: 'manual', proposal: null, is_proposed: false },
  input_schema: null,
}
const commands = (more: Partial<typeof gate> | object) =>
  gateCommands({ ...gate, ...more }).map(({ command }) => command)

describe('the commands that decide a gate', () => {
  it('name the run and the step', () => {
    expect(commands({})).toEqual([
      "stateward approve fix-k3q9zt approve --reason 'looks right'",
      'stateward reject fix-k3q9zt approve --reason why',
      'kubectl annotate run fix-k3q9zt stateward.dev/approve=approve',
      'kubectl annotate run fix-k3q9zt stateward.dev/reject=approve',
    ])
  })

  it('say in which namespace, and quote what a shell would read', () => {
    expect(commands({ namespace: 'prod', step: 'each[3].ok' })[0]).toBe(
      "stateward approve fix-k3q9zt 'each[3].ok' -n prod --reason 'looks right'",
    )
  })

  it('bring an answer where one is asked for, and leave out what cannot bring one', () => {
    expect(commands({ input_schema: {} })).toEqual([
      "stateward approve fix-k3q9zt approve --input answer.json --reason 'looks right'",
      'stateward reject fix-k3q9zt approve --reason why',
      'kubectl annotate run fix-k3q9zt stateward.dev/reject=approve',
    ])
  })

  it('are a merge, too, where a branch decides, and other ones where an outcome is unknown', () => {
    expect(commands({ proposal: 'proposals/x', is_proposed: true }).at(-1)).toBe(
      'git fetch origin proposals/x && git merge --no-ff FETCH_HEAD && git push',
    )
    expect(commands({ mode: 'quarantine' })[0]).toBe('stateward approve fix-k3q9zt approve --retry')
  })
})
