import { Option } from 'commander'
import { fail } from '../lib/error-catalogue.ts'
import { isObject } from '../lib/json.ts'
import { commandLine } from './command-line.ts'
import { collect, readJsonObject, readPairs } from './json-argument.ts'
import { namespaceOf, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { readPlanFile } from './plan-file.ts'
import { renderDocument } from './print/structured.ts'
import type { Verb, VerbCall } from './verb.ts'
import { waitForRun } from './wait-for-run.ts'

export const verb: Verb = {
  arguments: '[blueprint]',
  description:
    'Starts a run of a blueprint, or of a plan of its own (--plan), pinned to the revision that is applied now.\n' +
    'With --wait it shows the steps as they go: exit code 0 when the run completed, 1 when it failed, 3 when it was cancelled. ' +
    'Ctrl-C ends the waiting (130), not the run.',
  examples: [
    ['stateward run checkmk-auto-remediate --input host=web-1 --input service=nginx'],
    ['stateward run docs-review -i folder=/srv/docs --wait', 'and show its steps until it ends'],
    ['stateward run docs-review --inputs @inputs.json -o json'],
    ['stateward run docs-review --inputs @inputs.json --wait -o json', 'the run as it ended, for a script'],
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
      .option('-w, --wait', 'wait until it ends, showing its steps')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json', 'yaml']).default('text')),
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
    if (options['wait'] === true) return waitForRun(call, client, run)
    const text = `run ${run.name} was started\nnext: ${commandLine(call, 'describe', 'run', run.name)}\n`
    await terminal.out(renderDocument(options['output'], run) ?? text)
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
