import { approveDeletions, decideGate, defineDecision } from './decide.ts'
import { decideChange, namesObject } from './decide-change.ts'
import { textOption } from './operands.ts'
import { approveProposal } from './proposals.ts'
import { sourceName } from './source-name.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<run|proposal/id|kind/name> [step]',
  description:
    'Approves a gate: the run goes on. The first valid decision wins.\n' +
    'A tool whose outcome a crash hid waits for one of two answers: --retry calls it again, --done goes on with the output\n' +
    'that --input gives. To reject fails the step.\n' +
    'With proposal/id: agrees to what it would change, as far as somebody is asked; whoever made it cannot.\n' +
    'With kind/name: agrees to the change of that object which waits at the head; whoever made it cannot.\n' +
    'With `deletions <revision>`: lets exactly the deletions through that a commit was held back for.',
  examples: [
    ['stateward approve checkmk-k3q9zt approve', 'run and step'],
    ['stateward approve checkmk-k3q9zt.approve --reason "looks right"'],
    ['stateward approve checkmk-k3q9zt window --input answer.json', 'a gate that asks for an answer'],
    ['stateward approve checkmk-k3q9zt fix --retry', 'a crash hid what became of it: it took no effect'],
    ['stateward approve checkmk-k3q9zt fix --done --input output.json', 'it took effect, with this output'],
    ['stateward approve proposal/let-sre-restart-k3q9zt', 'what somebody proposes, before it is merged'],
    ['stateward approve agent/sre', 'a change of the state repo that a policy asks about'],
    ['stateward approve deletions 3f2a91c', 'what the blast-radius limit holds back'],
  ],
  define: (command) => {
    defineDecision(command)
    command.option('--retry', 'of an effect whose outcome nobody knows: call the tool again')
    command.option('--done', 'of such an effect: it took place; --input is the output of the step')
    command.option('--source <name>', 'the source of the revision, where there are several')
  },
  async run(call) {
    const proposal = /^proposals?\/(.+)$/.exec(call.args[0] ?? '')?.[1]
    if (proposal !== undefined) return approveProposal(call, proposal)
    if (namesObject(call.args[0])) return decideChange(call, 'approve')
    if (call.args[0] !== 'deletions') return decideGate(call, 'approve')
    return approveDeletions(call, await sourceName(await call.client(), textOption(call.options, 'source')))
  },
}
