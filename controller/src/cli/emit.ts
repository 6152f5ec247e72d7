import { Option } from 'commander'
import { commandLine } from './command-line.ts'
import { readJsonObject } from './json-argument.ts'
import { namespaceOf, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<event>',
  description: 'Sends an event. Every blueprint whose trigger matches it starts a run.',
  examples: [
    [`stateward emit checkmk.alert --data '{"host":"web-1","service":"nginx","state":"CRIT"}'`],
    ['stateward emit docs.changed --data @change.json', 'data from a file'],
    ['curl -s … | stateward emit build.done --data -', 'data from standard input'],
  ],
  // Here --data is the event's; the data folder goes by --data-dir, or by --data before the verb.
  settings: ['server', 'token'],
  define: (command) =>
    void namespaceOption(command)
      .option('-d, --data <json>', 'the data of the event: JSON, @file, or - for standard input')
      .option('--data-dir <dir>', 'data folder of the server; what --data is for other verbs (STATEWARD_DATA)')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  async run(call) {
    const text = textOption(call.options, 'data')
    const data = text === undefined ? {} : await readJsonObject('--data', text, call.terminal)
    const client = await call.client()
    const event = await client.call('emitEvent', {
      body: {
        event_name: call.args[0]!,
        env_id: namespaceOf(call.options),
        data,
      },
    })
    if (call.options['output'] === 'json') await call.terminal.out(renderJson(event))
    else {
      await call.terminal.out(`event ${event.event_name} ${event.event_id} is number ${event.seq} of the log\n`)
      await call.terminal.out(`next: ${commandLine(call, 'get', 'runs')}\n`)
    }
    return 0
  },
}
