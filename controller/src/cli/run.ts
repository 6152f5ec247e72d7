import { Option } from 'commander'
import type { ApiClient } from './client/api-client.ts'
import type { RunDto } from './client/dto.ts'
import { followEvents } from './client/events.ts'
import { commandLine } from './command-line.ts'
import { collect, readJsonObject, readPairs } from './json-argument.ts'
import { namespaceOf, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderEventLine } from './print/event-lines.ts'
import { renderJson } from './print/structured.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  arguments: '<blueprint>',
  description: 'Starts a run of a blueprint, pinned to the revision that is applied now.',
  examples: [
    ['stateward run checkmk-auto-remediate --input host=web-1 --input service=nginx'],
    ['stateward run docs-review --input path=docs --wait', 'and wait until it ends; exit 1 unless it completed'],
    ['stateward run docs-review --inputs @inputs.json -o json'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('-i, --input <key=value>', 'an input; JSON keeps its type; may be repeated', collect)
      .option('--inputs <json>', 'all inputs: JSON, @file, or - for standard input')
      .option('--name <name>', 'the name of the run (default: one is made)')
      .option('-w, --wait', 'wait until it ends, showing its events')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  async run(call) {
    const { options, terminal } = call
    const inputs = textOption(options, 'inputs')
    const client = await call.client()
    const name = textOption(options, 'name')
    const run = await client.call('startRun', {
      body: {
        blueprint_ref: call.args[0]!,
        namespace: namespaceOf(options),
        ...(name === undefined ? {} : { name }),
        inputs: {
          ...(inputs === undefined ? {} : await readJsonObject('--inputs', inputs, terminal)),
          ...readPairs('--input', (options['input'] as readonly string[] | undefined) ?? []),
        },
      },
    })
    const json = options['output'] === 'json'
    if (options['wait'] === true) return waitForEnd(call, client, run, json)
    if (json) await terminal.out(renderJson(run))
    else await terminal.out(`run ${run.name} was started\nnext: ${commandLine(call, 'describe', 'run', run.name)}\n`)
    return 0
  },
}

const ENDED = ['completed', 'failed', 'cancelled']

async function waitForEnd(call: VerbCall, client: ApiClient, started: RunDto, json: boolean): Promise<ExitCode> {
  const { terminal } = call
  const done = new AbortController()
  const signal = AbortSignal.any([terminal.untilInterrupted(), done.signal])
  let run = started
  try {
    // From the beginning of the log on: what happened between the two calls is not missed.
    for await (const event of followEvents(client, { runId: run.run_id }, 0, signal)) {
      if (!json) await terminal.out(renderEventLine(event, terminal.colors))
      if (!ENDED.some((word) => event.event_name === `stateward.run.${word}`)) continue
      run = await client.call('readRun', { run: started.run_id })
      break
    }
  } finally {
    done.abort()
  }
  if (json) await terminal.out(renderJson(run))
  else if (ENDED.includes(run.status))
    await terminal.out(`run ${run.name} ${run.status}\n${run.outputs === null ? '' : renderJson(run.outputs)}`)
  return run.status === 'completed' ? 0 : 1
}
