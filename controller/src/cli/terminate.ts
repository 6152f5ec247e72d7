import { defineLasting, intervene, lastingBody } from './intervene.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<agent>',
  description:
    'Ends every process of an agent now (TERM, then KILL after its grace period) and starts none until it is resumed.\n' +
    'Its tasks go back to the queue; the same change is proposed as a commit (replicas: 0).',
  examples: [
    ['stateward terminate sre --reason "its key leaked"'],
    ['stateward terminate sre --reason "gone for good" --merge', 'also in Git, at once'],
  ],
  define: (command) => void defineLasting(command),
  run: (call) => intervene(call, 'terminateAgent', lastingBody(call), () => 'is terminated'),
}
