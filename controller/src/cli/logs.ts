import { Option } from 'commander'
import { RUN } from '../kinds/record-kinds.ts'
import { fail } from '../lib/error-catalogue.ts'
import { positiveInteger } from './events.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, readTarget, textOption } from './operands.ts'
import { isOf, readLogLine, renderLogLine } from './print/log-line.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<run-or-object> [name]',
  description: 'Shows what the steps of a run, the processes of an agent, or a task wrote.',
  examples: [
    ['stateward logs checkmk-k3q9zt', 'a run'],
    ['stateward logs checkmk-k3q9zt -f --step fix', 'what one of its steps writes, until the run has ended'],
    ['stateward logs agent/sre -f', 'an agent, and go on with what it writes'],
    ['stateward logs agent sre --tail 20'],
    ['stateward logs task/0190a5c8-…', 'one task of an agent'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('-f, --follow', 'go on until it has ended')
      .option('--tail <n>', 'only the last lines', positiveInteger)
      .option('--step <step>', 'of a run: only what this step wrote; of a loop or a call, what is inside it')
      .addOption(
        new Option(OUTPUT_FLAG, 'how to print; json is one object a line').choices(['text', 'json']).default('text'),
      ),
  async run(call) {
    const path = pathOf(call.args)
    const client = await call.client()
    const query = {
      namespace: path.startsWith('/api/v1/tasks/') ? null : givenNamespace(call.options),
      follow: call.options['follow'] === true ? true : null,
      tail_lines: call.options['tail'] as number | undefined,
    }
    const { terminal } = call
    const step = textOption(call.options, 'step')
    for await (const line of client.lines(path, query, terminal.untilInterrupted())) {
      const told = readLogLine(line)
      if (step !== undefined && !isOf(told, step)) continue
      await terminal.out(
        call.options['output'] === 'json' ? `${JSON.stringify(told)}\n` : `${renderLogLine(told, line, terminal)}\n`,
      )
    }
    return 0
  },
}

function pathOf(args: readonly string[]): string {
  const [word = '', name] = args
  const task = name === undefined ? /^task\/(.+)$/.exec(word)?.[1] : word === 'task' ? name : undefined
  if (task !== undefined) return `/api/v1/tasks/${encodeURIComponent(task)}/log`
  if (name === undefined && !word.includes('/')) return `/api/v1/runs/${encodeURIComponent(word)}/log`
  const target = readTarget(word, name)
  if (target.kind === RUN) return `/api/v1/runs/${encodeURIComponent(target.name)}/log`
  if (target.kind.kind === 'Agent') return `/api/v1/agents/${encodeURIComponent(target.name)}/log`
  throw fail('SW_USAGE', `a ${target.kind.singular} has no log: runs, agents and tasks have`)
}
