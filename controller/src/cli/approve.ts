import { approveDeletions, decideGate, defineDecision } from './decide.ts'
import { textOption } from './operands.ts'
import { sourceName } from './source-name.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<run> [step]',
  description:
    'Approves a gate: the run goes on. The first valid decision wins.\n' +
    'With `deletions <revision>`: lets exactly the deletions through that a commit was held back for.',
  examples: [
    ['stateward approve checkmk-k3q9zt approve', 'run and step'],
    ['stateward approve checkmk-k3q9zt.approve --reason "looks right"'],
    ['stateward approve checkmk-k3q9zt window --input answer.json', 'a gate that asks for an answer'],
    ['stateward approve deletions 3f2a91c', 'what the blast-radius limit holds back'],
  ],
  define: (command) => {
    defineDecision(command)
    command.option('--source <name>', 'the source of the revision, where there are several')
  },
  async run(call) {
    if (call.args[0] !== 'deletions') return decideGate(call, 'approve')
    return approveDeletions(call, await sourceName(await call.client(), textOption(call.options, 'source')))
  },
}
