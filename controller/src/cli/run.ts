import { Option } from 'commander'
import { fail } from '../lib/error-catalogue.ts'
import { isObject } from '../lib/json.ts'
import type { ApiClient } from './client/api-client.ts'
import type { RunDto } from './client/dto.ts'
import { followEvents } from './client/events.ts'
import { commandLine } from './command-line.ts'
import { collect, readJsonObject, readPairs } from './json-argument.ts'
import { namespaceOf, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { readPlanFile } from './plan-file.ts'
import { renderEventLine } from './print/event-lines.ts'
import { renderJson } from './print/structured.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  arguments: '[blueprint]',
  description:
    'Starts a run of a blueprint, or of a plan of its own (--plan), pinned to the revision that is applied now.',
  examples: [
    ['stateward run checkmk-auto-remediate --input host=web-1 --input service=nginx'],
    ['stateward run docs-review --input path=docs --wait', 'and wait until it ends; exit 1 unless it completed'],
    ['stateward run docs-review --inputs @inputs.json -o json'],
    [
      'stateward run --plan plan.yaml --budget-cents 100',
      'a plan that is in no blueprint: a list of steps, or of {skill, params}',
    ],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('-i, --input <key=value>', 'an input; JSON keeps its type; may be repeated', collect)
      .option('--inputs <json>', 'all inputs: JSON, @file, or - for standard input')
      .option('--plan <file>', 'a plan instead of a blueprint: YAML or JSON, - for standard input')
      .option('--budget-cents <n>', 'refuse a plan that costs more by what its tools declare')
      .option('--name <name>', 'the name of the run (default: one is made)')
      .option('-w, --wait', 'wait until it ends, showing its events')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  async run(call) {
    const { options, terminal } = call
    const inputs = textOption(options, 'inputs')
    const client = await call.client()
    const name = textOption(options, 'name')
    const what = await whatToRun(call)
    const run = await client.call('startRun', {
      body: {
        ...what,
        namespace: namespaceOf(options),
        ...(name === undefined ? {} : { name }),
        inputs: {
          ...(isObject(what.inputs) ? what.inputs : {}),
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

async function whatToRun({ args, options, terminal }: VerbCall): Promise<Readonly<Record<string, unknown>>> {
  const file = textOption(options, 'plan')
  const budget = textOption(options, 'budgetCents')
  if ((args[0] === undefined) === (file === undefined))
    throw fail('SW_USAGE', 'name a blueprint, or give a plan with --plan <file>')
  if (file === undefined) {
    if (budget !== undefined) throw fail('SW_USAGE', '--budget-cents belongs to --plan')
    return { blueprint_ref: args[0] }
  }
  if (budget !== undefined && !/^[0-9]+$/.test(budget)) throw fail('SW_USAGE', '--budget-cents is a whole number')
  return { ...(await readPlanFile(file, terminal)), ...(budget === undefined ? {} : { budget_cents: Number(budget) }) }
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
