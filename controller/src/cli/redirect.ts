import { fail } from '../lib/error-catalogue.ts'
import { defineIntervention, intervene, reasonOf } from './intervene.ts'
import { textOption } from './operands.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<agent>',
  description: 'Hands the waiting tasks of an agent to another one of its namespace; what it works on stays with it.',
  examples: [['stateward redirect sre --to sre-2 --reason "it is behind"']],
  define: (command) => void defineIntervention(command).requiredOption('--to <agent>', 'the agent that gets them'),
  run(call) {
    const to = textOption(call.options, 'to')
    if (to === undefined) throw fail('SW_USAGE', 'say who gets the tasks: --to <agent>')
    return intervene(call, 'redirectAgent', { reason: reasonOf(call), to }, ({ params }) => {
      const count = Number((params as Readonly<Record<string, unknown>>)['tasks'])
      return `gave ${count} waiting ${count === 1 ? 'task' : 'tasks'} to agent/${to}`
    })
  },
}
