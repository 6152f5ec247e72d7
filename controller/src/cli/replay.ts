import { Option } from 'commander'
import { msBetween } from '../lib/took.ts'
import type { EventDto } from './client/dto.ts'
import { followRun } from './client/events.ts'
import { allItems } from './client/pages.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG } from './operands.ts'
import { createHistory } from './print/run-history.ts'
import { renderYaml } from './print/structured.ts'
import type { Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  arguments: '<run>',
  description:
    'Prints the history of a run as it was recorded: its events, in order, each with the time since the first one.\n' +
    'Nothing is run again. To build the rows of a run again from its events: stateward events replay.',
  examples: [
    ['stateward replay checkmk-k3q9zt'],
    ['stateward replay checkmk-k3q9 --values', 'with what went in and came out of each step'],
    ['stateward replay checkmk-k3q9 -f', 'and go on until it ends'],
    ['stateward replay checkmk-k3q9 -o json', 'the events themselves, one JSON object a line'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('-f, --follow', 'go on until the run ends')
      .option('--values', 'with inputs and outputs')
      .addOption(
        new Option(OUTPUT_FLAG, 'how to print; json is one object a line')
          .choices(['text', 'json', 'yaml'])
          .default('text'),
      ),
  async run(call) {
    const client = await call.client()
    const run = call.args[0]!
    const events = await allItems(client, 'listRunEvents', { run, namespace: givenNamespace(call.options) })
    const print = printerOf(call, events[0])
    for (const event of events) await call.terminal.out(print(event))
    if (call.options['follow'] !== true || events.length === 0) return 0
    const last = events.at(-1)!
    for await (const event of followRun(client, last.run_id ?? run, call.terminal.untilInterrupted(), last.seq))
      await call.terminal.out(print(event))
    return 0
  },
}

function printerOf(call: VerbCall, first: EventDto | undefined): (event: EventDto) => string {
  const { options, terminal } = call
  if (options['output'] === 'json') return (event) => `${JSON.stringify(event)}\n`
  if (options['output'] === 'yaml') return (event) => `---\n${renderYaml(event)}`
  const start = first?.occurred_at
  const time = (event: EventDto) =>
    `+${((start === undefined ? 0 : msBetween(start, event.occurred_at)) / 1000).toFixed(3)}s`.padStart(10)
  return createHistory({ colors: terminal.colors, time, values: options['values'] === true, failures: true })
}
