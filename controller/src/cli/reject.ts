import { decideGate, defineDecision } from './decide.ts'
import { decideChange, namesObject } from './decide-change.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<run|kind/name> [step]',
  description:
    'Rejects a gate: the run ends, and nothing behind the gate is done.\n' +
    'With kind/name: rejects the change of that object which waits at the head; it keeps its last good revision.',
  examples: [
    ['stateward reject checkmk-k3q9zt approve --reason "wrong host"'],
    ['stateward reject checkmk-k3q9zt.approve'],
    ['stateward reject agent/sre --reason "too much"', 'a change of the state repo that waits'],
  ],
  define: defineDecision,
  run: (call) => (namesObject(call.args[0]) ? decideChange(call, 'reject') : decideGate(call, 'reject')),
}
