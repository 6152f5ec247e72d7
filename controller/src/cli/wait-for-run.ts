import { msBetween, tookText } from '../lib/took.ts'
import type { ApiClient } from './client/api-client.ts'
import type { RunDto } from './client/dto.ts'
import { commandLine } from './command-line.ts'
import { indent, renderSection, renderValue } from './print/fields.ts'
import { renderFailure } from './print/run-failure.ts'
import { renderDocument } from './print/structured.ts'
import type { ExitCode, VerbCall } from './verb.ts'
import { watchRun } from './watch-run.ts'

/**
 * What `--wait` does: shows a run until it ends, then what came of it, or with `-o json|yaml` the run as it ended and nothing
 * else. 0 = it completed, 1 = it failed, 3 = it was cancelled, 130 = Ctrl-C: the run goes on, and how to come back is said.
 */
export async function waitForRun(call: VerbCall, client: ApiClient, started: RunDto): Promise<ExitCode> {
  const { terminal, options } = call
  const silent = renderDocument(options['output'], started) !== null
  const run = await watchRun(call, client, started, silent ? 'none' : 'tree-or-lines')
  await terminal.out(renderDocument(options['output'], run) ?? renderEnd(call, run))
  if (run.completed_at !== null) return run.status === 'completed' ? 0 : run.status === 'failed' ? 1 : 3
  await terminal.err(renderDetached(call, run))
  return 130
}

function renderEnd(call: VerbCall, run: RunDto): string {
  const { colors } = call.terminal
  if (run.completed_at === null) return ''
  const took = tookText(msBetween(run.started_at ?? run.created_at, run.completed_at))
  const word = run.status === 'completed' ? colors.green('completed') : colors.red(run.status)
  const error = indent(renderFailure(run.error, colors), 2)
  const next = run.status === 'completed' ? '' : `next: ${commandLine(call, 'describe', 'run', run.name)}\n`
  return `run ${run.name} ${word} after ${took}\n${error}${renderSection('Outputs', renderValue(run.outputs), colors)}${next}`
}

function renderDetached(call: VerbCall, run: RunDto): string {
  const lines = [
    `run ${run.name} goes on without this command`,
    `  watch it again: ${commandLine(call, 'describe', 'run', run.name, '--watch')}`,
    `  cancel it:      ${commandLine(call, 'cancel', run.name)}`,
  ]
  return lines.map((line) => `${line}\n`).join('')
}
