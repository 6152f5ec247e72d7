import { Option } from 'commander'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<run>',
  description: 'Cancels a run. What runs is stopped, what has not started is skipped.',
  examples: [['stateward cancel checkmk-k3q9zt'], ['stateward cancel checkmk-k3q9zt --reason "the host is gone"']],
  define: (command) =>
    void namespaceOption(command)
      .option('-r, --reason <text>', 'why; it is kept with the run')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  async run(call) {
    const reason = textOption(call.options, 'reason')
    const client = await call.client()
    const run = await client.call('cancelRun', {
      run: call.args[0]!,
      namespace: givenNamespace(call.options),
      body: reason === undefined ? {} : { reason },
    })
    const word = run.status === 'cancelled' ? 'is cancelled' : 'is being cancelled'
    await call.terminal.out(call.options['output'] === 'json' ? renderJson(run) : `run ${run.name} ${word}\n`)
    return 0
  },
}
