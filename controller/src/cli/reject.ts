import { decideGate, defineDecision } from './decide.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<run> [step]',
  description: 'Rejects a gate: the run ends, and nothing behind the gate is done.',
  examples: [
    ['stateward reject checkmk-k3q9zt approve --reason "wrong host"'],
    ['stateward reject checkmk-k3q9zt.approve'],
  ],
  define: defineDecision,
  run: (call) => decideGate(call, 'reject'),
}
