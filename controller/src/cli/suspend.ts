import { defineOverride, override } from './override.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<object> [name]',
  description:
    'Pauses an object in under a second. It stays paused through restarts, and the same change is proposed as a commit.\n' +
    'A suspended agent takes no new task; a suspended blueprint starts no new run.',
  examples: [
    ['stateward suspend agent/sre --reason "noisy" --for 2h', 'ends by itself'],
    ['stateward suspend blueprint docs-review --merge', 'also in Git, at once'],
  ],
  define: (command) => {
    defineOverride(command)
    command.option('-r, --reason <text>', 'why; people see it in describe')
    command.option('--for <duration>', 'end it by itself after this time: 30m, 2h')
  },
  run: (call) => override(call, 'suspend'),
}
