import { Option } from 'commander'
import type { RunDto } from './client/dto.ts'
import { commandLine } from './command-line.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG } from './operands.ts'
import { terminalText } from './print/inline-text.ts'
import { renderDocument } from './print/structured.ts'
import type { Verb } from './verb.ts'
import { waitForRun } from './wait-for-run.ts'

export const verb: Verb = {
  arguments: '<run>',
  description:
    'Undoes what a run did, by a new run that calls the undo of its steps in reverse order. What cannot be undone is named.\n' +
    'With --wait it shows the steps and exits as `run --wait` does.',
  examples: [
    ['stateward rollback checkmk-k3q9zt'],
    ['stateward rollback checkmk-k3q9zt --wait', 'and show its steps until it ends'],
    ['stateward rollback checkmk-k3q9zt -o json'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('-w, --wait', 'wait until it ends, showing its steps')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json', 'yaml']).default('text')),
  async run(call) {
    const client = await call.client()
    const run = await client.call('rollbackRun', {
      run: call.args[0]!,
      namespace: givenNamespace(call.options),
      body: {},
    })
    const waits = call.options['wait'] === true
    const document = renderDocument(call.options['output'], run)
    if (document === null) {
      const next = waits ? '' : `next: ${commandLine(call, 'describe', 'run', run.name)}\n`
      await call.terminal.out(`${renderUndone(run, call.args[0]!)}${next}`)
    } else if (!waits) await call.terminal.out(document)
    return waits ? waitForRun(call, client, run) : 0
  },
}

/** What is undone, in that order, and what cannot be. */
function renderUndone(run: RunDto, undone: string): string {
  const { undo, not_undone } = run.inputs as {
    readonly undo: readonly string[]
    readonly not_undone: readonly { readonly step: string; readonly action: string; readonly reason: string }[]
  }
  const lines = [
    `run ${run.name} undoes ${undone}: ${undo.length === 0 ? 'nothing' : undo.join(', ')}`,
    ...not_undone.map(({ step, action, reason }) => `not undone: ${step} (${action}): ${reason}`),
  ]
  return `${lines.map(terminalText).join('\n')}\n`
}
