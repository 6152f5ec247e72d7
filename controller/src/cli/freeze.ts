import { Option } from 'commander'
import { fleetText } from './fleet-text.ts'
import { OUTPUT_FLAG, textOption } from './operands.ts'
import { renderDocument } from './print/structured.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  description:
    'Halts the whole fleet at once: no new run, step, spawn or effect anywhere, agents get no tasks. What is under way\n' +
    'ends and is recorded. It holds across restarts and for every host, until: stateward unfreeze. --show only tells how it is.',
  examples: [
    ['stateward freeze --reason "runaway agents"'],
    ['stateward freeze --show', 'whether it is, by whom and why'],
  ],
  define: (command) =>
    void command
      .option('-r, --reason <text>', 'why; it is kept, and shown with everything that stands still')
      .option('--show', 'only tell how it is')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json', 'yaml']).default('text')),
  async run({ options, terminal, client }) {
    const reason = textOption(options, 'reason')
    const body = reason === undefined ? {} : { reason }
    const fleet =
      options['show'] === true
        ? await (await client()).call('readFleet', {})
        : await (await client()).call('freezeFleet', { body })
    await terminal.out(renderDocument(options['output'], fleet) ?? fleetText(fleet))
    return 0
  },
}
