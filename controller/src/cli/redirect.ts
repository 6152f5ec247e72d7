import { fail } from '../lib/error-catalogue.ts'
import { defineLasting, intervene, lastingBody } from './intervene.ts'
import { textOption } from './operands.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<agent>',
  description:
    'Hands the waiting tasks of an agent to another one of its namespace (--to; what it works on stays with it), or gives it another goal (--goal): its processes are told, and each task it is given carries it.',
  examples: [
    ['stateward redirect sre --to sre-2 --reason "it is behind"'],
    ['stateward redirect sre --goal "Leave nginx alone, look at the disks" --reason "wrong track"'],
  ],
  define: (command) =>
    void defineLasting(command)
      .option('--to <agent>', 'the agent that gets its tasks')
      .option('--goal <text>', 'what it is to work towards from now on'),
  run(call) {
    const to = textOption(call.options, 'to')
    const goal = textOption(call.options, 'goal')
    if (to === undefined && goal === undefined)
      throw fail('SW_USAGE', 'say who gets the tasks (--to <agent>), or what it is to work towards (--goal <text>)')
    const body = {
      ...lastingBody(call),
      ...(to === undefined ? {} : { to }),
      ...(goal === undefined ? {} : { goal }),
    }
    return intervene(call, 'redirectAgent', body, ({ params }) => {
      const count = Number((params as Readonly<Record<string, unknown>>)['tasks'] ?? 0)
      const moved = to === undefined ? [] : [`gave ${count} waiting ${count === 1 ? 'task' : 'tasks'} to agent/${to}`]
      return [...moved, ...(goal === undefined ? [] : ['has another goal'])].join('; ')
    })
  },
}
