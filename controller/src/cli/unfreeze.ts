import { Option } from 'commander'
import { fleetText } from './fleet-text.ts'
import { OUTPUT_FLAG, textOption } from './operands.ts'
import { renderDocument } from './print/structured.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  description: 'Lets a frozen fleet go on: runs where they were, events that came meanwhile are read.',
  examples: [['stateward unfreeze --reason "found it"']],
  define: (command) =>
    void command
      .option('-r, --reason <text>', 'why; it is kept, and shown with everything that stands still')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json', 'yaml']).default('text')),
  async run({ options, terminal, client }) {
    const reason = textOption(options, 'reason')
    const body = reason === undefined ? {} : { reason }
    const fleet = await (await client()).call('unfreezeFleet', { body })
    await terminal.out(renderDocument(options['output'], fleet) ?? fleetText(fleet))
    return 0
  },
}
