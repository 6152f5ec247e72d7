import { defineLasting, intervene, lastingBody } from './intervene.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<agent>',
  description:
    'Pauses an agent in under a second: it gets no task, and its processes are told and left alone.\n' +
    'It holds through commits and restarts until it is resumed or merged; the same change is proposed as a commit.',
  examples: [
    ['stateward pause sre --reason "restarts too much"'],
    ['stateward pause sre --reason "maintenance" --for 2h', 'ends by itself'],
  ],
  define: (command) => void defineLasting(command),
  run: (call) => intervene(call, 'pauseAgent', lastingBody(call), () => 'is paused'),
}
