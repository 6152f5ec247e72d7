import { Option } from 'commander'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderDocument } from './print/structured.ts'
import type { ExitCode, Verb } from './verb.ts'
import { waitForRun } from './wait-for-run.ts'

const ASKED_FOR: Readonly<Partial<Record<ExitCode, ExitCode>>> = { 3: 0, 130: 130 }

export const verb: Verb = {
  arguments: '<run>',
  description: 'Cancels a run. What runs is stopped, what has not started is skipped.',
  examples: [
    ['stateward cancel checkmk-k3q9zt'],
    ['stateward cancel checkmk-k3q9zt --reason "the host is gone" --wait', 'and wait until it has ended'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('-r, --reason <text>', 'why; it is kept with the run')
      .option('-w, --wait', 'wait until it has ended, showing its steps')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json', 'yaml']).default('text')),
  async run(call) {
    const reason = textOption(call.options, 'reason')
    const client = await call.client()
    const run = await client.call('cancelRun', {
      run: call.args[0]!,
      namespace: givenNamespace(call.options),
      body: reason === undefined ? {} : { reason },
    })
    // That it ended cancelled is what was asked for.
    if (call.options['wait'] === true) return ASKED_FOR[await waitForRun(call, client, run)] ?? 1
    const word = run.status === 'cancelled' ? 'is cancelled' : 'is being cancelled'
    await call.terminal.out(renderDocument(call.options['output'], run) ?? `run ${run.name} ${word}\n`)
    return 0
  },
}
