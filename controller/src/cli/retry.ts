import { Option } from 'commander'
import { commandLine } from './command-line.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderDocument } from './print/structured.ts'
import type { Verb } from './verb.ts'
import { waitForRun } from './wait-for-run.ts'

export const verb: Verb = {
  arguments: '<run>',
  description:
    'Has a run that ended go on as a new run: with the same plan, inputs and event, and the recorded outputs of the steps before.\n' +
    'With --wait it shows the steps and exits as `run --wait` does.',
  examples: [
    ['stateward retry checkmk-k3q9zt', 'what did not complete runs again'],
    ['stateward retry checkmk-k3q9zt --from fix --wait', 'fix and everything that waits for it; show its steps'],
    ['stateward retry checkmk-k3q9zt --from "each[3].fix"', 'in one iteration of a loop'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--from <step>', 'path of the step to go on from (default: what did not complete)')
      .option('-w, --wait', 'wait until it ends, showing its steps')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json', 'yaml']).default('text')),
  async run(call) {
    const from = textOption(call.options, 'from')
    const client = await call.client()
    const run = await client.call('retryRun', {
      run: call.args[0]!,
      namespace: givenNamespace(call.options),
      body: from === undefined ? {} : { from },
    })
    if (call.options['wait'] === true) return waitForRun(call, client, run)
    const text = `run ${run.name} goes on from ${call.args[0]}\nnext: ${commandLine(call, 'describe', 'run', run.name)}\n`
    await call.terminal.out(renderDocument(call.options['output'], run) ?? text)
    return 0
  },
}
