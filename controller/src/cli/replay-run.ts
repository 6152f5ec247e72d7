import { fail } from '../lib/error-catalogue.ts'
import type { ReplayDto } from './client/dto.ts'
import { textOption } from './operands.ts'
import { inlineText } from './print/inline-text.ts'
import { renderJson } from './print/structured.ts'
import type { ExitCode, VerbCall } from './verb.ts'

/** `events replay --run R`: 0 = the rows are (or now are) what the events say, 1 = they differ. */
export async function replay(call: VerbCall): Promise<ExitCode> {
  const run = textOption(call.options, 'run')
  if (call.args[0] !== 'replay' || run === undefined)
    throw fail('SW_USAGE', 'it is: stateward events replay --run <run>')
  const client = await call.client()
  const write = call.options['write'] === true
  const result = await client.call('rebuildRun', { run, body: { write } })
  await call.terminal.out(call.options['output'] === 'json' ? renderJson(result) : textOf(result))
  return result.differences.length === 0 || result.written ? 0 : 1
}

function textOf({ name, events, steps, differences, written }: ReplayDto): string {
  const lines = differences.map(({ row, column, stored, rebuilt }) =>
    inlineText(`${row}${column === null ? '' : ` ${column}`}: stored ${brief(stored)}, events say ${brief(rebuilt)}`),
  )
  const same = differences.length === 0 ? 'the rows are what the events say' : `${differences.length} differences`
  const end = written ? '; the rows were written again' : ''
  return [`run ${name}: ${events} events, ${steps} steps: ${same}${end}`, ...lines].map((line) => `${line}\n`).join('')
}

function brief(value: unknown): string {
  if (value === null) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
