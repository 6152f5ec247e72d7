import { defineOverride, override } from './override.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<object> [name]',
  description:
    'Ends the pause of an object, whether it was set with suspend or stands in Git. For an agent it takes back every\n' +
    'intervention: a pause, a termination, constraints.',
  examples: [['stateward resume agent/sre'], ['stateward resume blueprint docs-review --merge']],
  define: defineOverride,
  run: (call) => override(call, 'resume'),
}
