import { setTimeout as delay } from 'node:timers/promises'
import { Option } from 'commander'
import { fail } from '../lib/error-catalogue.ts'
import type { ApiClient } from './client/api-client.ts'
import type { TaskDto } from './client/dto.ts'
import { collect, readJsonObject, readPairs } from './json-argument.ts'
import { namespaceOf, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { failureLine } from './print/run-failure.ts'
import { renderDocument, renderJson } from './print/structured.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const LOOK_MS = 500

export const verb: Verb = {
  arguments: '<ask|cancel|retry|assign> <words...>',
  description:
    'Asks an agent for something without a blueprint, and cancels, repeats or hands over what was asked.\n' +
    'List tasks with `stateward get tasks`; show one with `stateward describe task`.',
  examples: [
    ['stateward task ask sre "Why is nginx down on web-1?" --input host=web-1'],
    ['stateward task ask sre "Summarise the night" --wait', 'print the answer when it comes'],
    ['stateward task cancel 01983a4e-6d01'],
    ['stateward task retry 01983a4e-6d01', 'ask again for what failed or was cancelled'],
    ['stateward task assign 01983a4e-6d01 db', 'give an open task to another agent'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('-i, --input <key=value>', 'ask: an input; JSON keeps its type; may be repeated', collect)
      .option('--inputs <json>', 'ask: all inputs: JSON, @file, or - for standard input')
      .option('--expected-rows <n>', 'ask: rows of a database it reads or writes; from 100 on it is bulk work')
      .option('-w, --wait', 'ask: wait for the answer and print it')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json', 'yaml']).default('text')),
  run(call) {
    const [word, first, second, ...more] = call.args
    if (word === 'ask' && first !== undefined && second !== undefined && more.length === 0)
      return ask(call, first, second)
    if ((word === 'cancel' || word === 'retry') && first !== undefined && second === undefined)
      return change(call, word, first, null)
    if (word === 'assign' && first !== undefined && second !== undefined && more.length === 0)
      return change(call, word, first, second)
    throw fail(
      'SW_USAGE',
      'it is: stateward task ask <agent> <prompt>, cancel <task>, retry <task>, assign <task> <agent>',
    )
  },
}

async function ask(call: VerbCall, agent: string, prompt: string): Promise<ExitCode> {
  const { options, terminal } = call
  const inputs = textOption(options, 'inputs')
  const client = await call.client()
  const asked = await client.call('createTask', {
    body: {
      namespace: namespaceOf(options),
      agent,
      prompt,
      ...expectedRows(textOption(options, 'expectedRows')),
      inputs: {
        ...(inputs === undefined ? {} : await readJsonObject('--inputs', inputs, terminal)),
        ...readPairs('--input', (options['input'] as readonly string[] | undefined) ?? []),
      },
    },
  })
  if (options['wait'] !== true) {
    const text = `task ${asked.task_id} waits for ${agent}: stateward describe task ${asked.task_id}\n`
    await terminal.out(renderDocument(options['output'], asked) ?? text)
    return 0
  }
  const task = await ended(call, client, asked.task_id)
  if (task === null) return 130
  const document = renderDocument(options['output'], task)
  if (document !== null) await terminal.out(document)
  else if (task.status === 'completed') await terminal.out(renderJson(task.output))
  else
    await terminal.err(
      `task ${task.task_id} ${task.status}${task.error === null ? '' : `: ${failureLine({ ...task.error })}`}\n`,
    )
  return task.status === 'completed' ? 0 : task.status === 'cancelled' ? 3 : 1
}

function expectedRows(text: string | undefined): { readonly expected_rows?: number } {
  if (text === undefined) return {}
  if (!/^[0-9]{1,15}$/.test(text)) throw fail('SW_USAGE', `--expected-rows takes a number, not "${text}"`)
  return { expected_rows: Number(text) }
}

/** The task once it has ended; null when somebody interrupted the waiting. */
async function ended({ terminal }: VerbCall, client: ApiClient, taskId: string): Promise<TaskDto | null> {
  const signal = terminal.untilInterrupted()
  while (!signal.aborted) {
    const task = await client.call('readTask', { task_id: taskId })
    if (task.completed_at !== null) return task
    await delay(LOOK_MS, undefined, { signal }).catch(() => undefined)
  }
  return null
}

async function change(
  call: VerbCall,
  verb: 'cancel' | 'retry' | 'assign',
  reference: string,
  agent: string | null,
): Promise<ExitCode> {
  const client = await call.client()
  // The beginning of an id is enough for people.
  const { task_id } = await client.call('readTask', { task_id: reference })
  const task =
    verb === 'cancel'
      ? await client.call('cancelTask', { task_id })
      : verb === 'retry'
        ? await client.call('retryTask', { task_id, body: {} })
        : await client.call('assignTask', { task_id, body: { agent: agent! } })
  const text = {
    cancel: `task ${task.task_id} is ${task.status}\n`,
    retry: `task ${task_id} goes on as ${task.task_id}\n`,
    assign: `task ${task.task_id} waits for ${task.agent}\n`,
  }
  await call.terminal.out(renderDocument(call.options['output'], task) ?? text[verb])
  return 0
}
