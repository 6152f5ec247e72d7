import { Option } from 'commander'
import { fail } from '../lib/error-catalogue.ts'
import type { AuditVerdictDto } from './client/dto.ts'
import { OUTPUT_FLAG } from './operands.ts'
import { renderJson } from './print/structured.ts'
import type { Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  arguments: '<verify>',
  description:
    'Recomputes the hash chain of the event log and compares every event that is still held with its digest.\n' +
    'Exits with 1 and names the first row when one was altered, taken away or put in.',
  examples: [['stateward audit verify'], ['stateward audit verify -o json']],
  define: (command) =>
    void command.addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  async run(call) {
    if (call.args[0] !== 'verify') throw fail('SW_USAGE', `audit can verify, not ${call.args[0]}`)
    const verdict = await verify(call)
    if (call.options['output'] === 'json') await call.terminal.out(renderJson(verdict))
    else if (verdict.ok) await call.terminal.out(`the log is as it was written: ${heldText(verdict)}\n`)
    else await call.terminal.out(`the log was altered at ${verdict.seq} (${verdict.fault}): ${verdict.message}\n`)
    return verdict.ok ? 0 : 1
  },
}

/** Said at most this often, so that a short log says nothing and a long one does not fill the screen. */
const PROGRESS_MS = 1000

async function verify({ client, terminal }: VerbCall): Promise<AuditVerdictDto> {
  const api = await client()
  const signal = terminal.untilInterrupted()
  let saidAt = terminal.clock.monotonicMs()
  for await (const line of api.stream('verifyAudit', { stream: true }, signal)) {
    const said = JSON.parse(line) as AuditVerdictDto | { readonly seq: number; readonly of: number }
    if (!('of' in said)) return said
    const now = terminal.clock.monotonicMs()
    if (now - saidAt < PROGRESS_MS) continue
    saidAt = now
    await terminal.err(`verified ${said.seq} of ${said.of}\n`)
  }
  throw signal.aborted
    ? fail('SW_CANCELLED', 'the log was not verified to its end')
    : fail('SW_SERVER_UNREACHABLE', `${api.server} ended its answer before the log was verified`)
}

function heldText(verdict: AuditVerdictDto): string {
  const dropped =
    verdict.first_held_seq === 1 ? '' : `, of which those below ${verdict.first_held_seq} were dropped by retention`
  return `${verdict.batches} batches, ${verdict.events} events, head ${verdict.seq}${dropped}\nhash ${verdict.hash}`
}
