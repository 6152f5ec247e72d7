import { fail } from '../lib/error-catalogue.ts'
import { defineLasting, intervene, lastingBody } from './intervene.ts'
import { collect } from './json-argument.ts'
import { textOption } from './operands.ts'
import type { Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  arguments: '<agent>',
  description:
    'Limits an agent at once: the tasks it has, the tasks it is given a minute, the tools it is told it may use.\n' +
    'Limits add up; `stateward resume agent/<name>` lifts them.',
  examples: [
    ['stateward constrain sre --max-tasks 1 --reason "on probation"'],
    ['stateward constrain sre --tool "http.*" --tool fs.read --reason "no shell" --for 1d'],
  ],
  define: (command) =>
    void defineLasting(command)
      .option('--max-tasks <count>', 'tasks it has at once, all instances together')
      .option('--tasks-per-minute <count>', 'tasks it is given in any 60 seconds')
      .option('--tool <name>', 'a tool it may use, with * as wildcard; may be repeated', collect),
  run(call) {
    const [maxTasks, perMinute] = [count(call, 'max-tasks'), count(call, 'tasks-per-minute')]
    const tools = call.options['tool'] as readonly string[] | undefined
    const body = {
      ...lastingBody(call),
      ...(maxTasks === null ? {} : { max_tasks: maxTasks }),
      ...(perMinute === null ? {} : { tasks_per_minute: perMinute }),
      ...(tools === undefined ? {} : { tools }),
    }
    return intervene(call, 'constrainAgent', body, () => 'is constrained')
  },
}

function count({ options }: VerbCall, flag: string): number | null {
  const text = textOption(
    options,
    flag.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
  )
  if (text === undefined) return null
  if (!/^[0-9]{1,6}$/.test(text)) throw fail('SW_USAGE', `--${flag} takes a number, not "${text}"`)
  return Number(text)
}
