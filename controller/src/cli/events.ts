import { InvalidArgumentError, Option } from 'commander'
import type { ApiClient } from './client/api-client.ts'
import type { EventDto } from './client/dto.ts'
import { type EventFilter, followEvents, newestEvents } from './client/events.ts'
import { OUTPUT_FLAG, textOption } from './operands.ts'
import { renderEventLine } from './print/event-lines.ts'
import { replay } from './replay-run.ts'
import type { Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  arguments: '[replay]',
  description:
    'Shows the newest events of the log, the oldest of them first.\n' +
    'With `replay --run <run>`: builds the rows of a run again from its events and compares them with what is stored.',
  examples: [
    ['stateward events --follow', 'and go on'],
    ["stateward events --name 'stateward.run.*' --limit 100"],
    ['stateward events --run checkmk-k3q9 -o json', 'one JSON object a line'],
    ['stateward events replay --run checkmk-k3q9', 'exits with 1 when they differ'],
    ['stateward events replay --run checkmk-k3q9 --write', 'and writes what the events say'],
  ],
  define: (command) =>
    void command
      .option('-f, --follow', 'go on with what comes')
      .option('--name <glob>', 'only events of this name: checkmk.alert, stateward.run.*')
      .option('--run <run>', 'only events of this run')
      .option('--write', 'with replay: write the rows as the events say')
      .option('--limit <n>', 'how many of the past', positiveInteger, 50)
      .addOption(
        new Option(OUTPUT_FLAG, 'how to print; json is one object a line').choices(['text', 'json']).default('text'),
      ),
  async run(call) {
    if (call.args.length > 0) return replay(call)
    const client = await call.client()
    const filter: EventFilter = {
      name: textOption(call.options, 'name') ?? null,
      runId: await runId(client, textOption(call.options, 'run')),
    }
    const limit = Number(call.options['limit'])
    const past = limit === 0 ? [] : await newestEvents(client, filter, limit)
    await call.terminal.out(past.map((event) => lineOf(call, event)).join(''))
    if (call.options['follow'] !== true) return 0
    const start = past.at(-1)?.seq ?? null
    for await (const event of followEvents(client, filter, start, call.terminal.untilInterrupted()))
      await call.terminal.out(lineOf(call, event))
    return 0
  },
}

function lineOf(call: VerbCall, event: EventDto): string {
  return call.options['output'] === 'json' ? `${JSON.stringify(event)}\n` : renderEventLine(event, call.terminal.colors)
}

async function runId(client: ApiClient, name: string | undefined): Promise<string | null> {
  if (name === undefined) return null
  return (await client.call('readRun', { run: name })).run_id
}

export function positiveInteger(text: string): number {
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a number, 0 or more.')
  return Number(text)
}
