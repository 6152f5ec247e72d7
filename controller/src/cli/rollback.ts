import { Option } from 'commander'
import { commandLine } from './command-line.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG } from './operands.ts'
import { renderJson } from './print/structured.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<run>',
  description:
    'Undoes what a run did, by a new run that calls the undo of its steps in reverse order. What cannot be undone is named.',
  examples: [['stateward rollback checkmk-k3q9zt'], ['stateward rollback checkmk-k3q9zt -o json']],
  define: (command) =>
    void namespaceOption(command).addOption(
      new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text'),
    ),
  async run(call) {
    const client = await call.client()
    const run = await client.call('rollbackRun', {
      run: call.args[0]!,
      namespace: givenNamespace(call.options),
      body: {},
    })
    if (call.options['output'] === 'json') {
      await call.terminal.out(renderJson(run))
      return 0
    }
    const { undo, not_undone } = run.inputs as {
      readonly undo: readonly string[]
      readonly not_undone: readonly { readonly step: string; readonly action: string; readonly reason: string }[]
    }
    const lines = [
      `run ${run.name} undoes ${call.args[0]}: ${undo.length === 0 ? 'nothing' : undo.join(', ')}`,
      ...not_undone.map(({ step, action, reason }) => `not undone: ${step} (${action}): ${reason}`),
      `next: ${commandLine(call, 'describe', 'run', run.name)}`,
    ]
    await call.terminal.out(`${lines.join('\n')}\n`)
    return 0
  },
}
