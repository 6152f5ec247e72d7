import { Option } from 'commander'
import { commandLine } from './command-line.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<run>',
  description:
    'Has a run that ended go on as a new run: with the same plan, inputs and event, and the recorded outputs of the steps before.',
  examples: [
    ['stateward retry checkmk-k3q9zt', 'what did not complete runs again'],
    ['stateward retry checkmk-k3q9zt --from fix', 'fix and everything that waits for it'],
    ['stateward retry checkmk-k3q9zt --from "each[3].fix"', 'in one iteration of a loop'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--from <step>', 'path of the step to go on from (default: what did not complete)')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  async run(call) {
    const from = textOption(call.options, 'from')
    const client = await call.client()
    const run = await client.call('retryRun', {
      run: call.args[0]!,
      namespace: givenNamespace(call.options),
      body: from === undefined ? {} : { from },
    })
    const text = `run ${run.name} goes on from ${call.args[0]}\nnext: ${commandLine(call, 'describe', 'run', run.name)}\n`
    await call.terminal.out(call.options['output'] === 'json' ? renderJson(run) : text)
    return 0
  },
}
