import { Option } from 'commander'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import { shortRevision } from '../lib/short-revision.ts'
import type { InputOf } from './client/operation-request.ts'
import type { Intervention } from './client/operations.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

type Command = Parameters<NonNullable<Verb['define']>>[0]

/** What every verb that intervenes with an agent takes. */
function defineIntervention(command: Command): Command {
  return namespaceOption(command)
    .requiredOption('-r, --reason <text>', 'why; the agent and people read it')
    .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text'))
}

/** What those that hold until they are ended take besides. */
export function defineLasting(command: Command): Command {
  return defineIntervention(command)
    .option('--for <duration>', 'end it by itself after this time: 30m, 2h')
    .option('--merge', 'put the commit on the protected branch at once, instead of proposing it')
}

/** `sre` and `agent/sre` are the same. */
function agentOperand({ args }: VerbCall): string {
  const word = args[0] ?? ''
  const [kind, name] = word.includes('/') ? word.split('/') : ['agent', word]
  if (args.length > 1 || name === undefined || name === '' || !['agent', 'agents', 'ag'].includes(kind!))
    throw fail('SW_USAGE', `"${args.join(' ')}" names no agent: write its name, like sre`)
  return name
}

const reasonOf = ({ options }: VerbCall): string => textOption(options, 'reason')!

export function lastingBody(call: VerbCall) {
  const text = textOption(call.options, 'for')
  return {
    reason: reasonOf(call),
    merge: call.options['merge'] === true,
    ...(text === undefined ? {} : { expires_at: expiry(text, call.terminal.clock.now()) }),
  }
}

type Intervening = 'pauseAgent' | 'terminateAgent' | 'redirectAgent' | 'constrainAgent'

export async function intervene<Name extends Intervening>(
  call: VerbCall,
  operation: Name,
  body: InputOf<Name>['body'],
  said: (done: Intervention) => string,
): Promise<ExitCode> {
  const { options, terminal } = call
  const client = await call.client()
  const input = { agent: agentOperand(call), namespace: givenNamespace(options), body } as InputOf<Name>
  const done: Intervention = await client.call(operation, input)
  if (options['output'] === 'json') await terminal.out(renderJson(done))
  else await terminal.out(`agent/${done.agent} ${said(done)}${untilWhen(done)}\n${commitLine(done)}`)
  return 0
}

function untilWhen({ expires_at, in_force }: Intervention): string {
  if (expires_at !== null) return ` until ${expires_at}`
  return in_force ? '; it holds until it is resumed or merged' : ''
}

function commitLine({ branch, commit, merged, proposal_error }: Intervention): string {
  if (proposal_error !== null) return `its commit could not be made: ${proposal_error}\n`
  if (commit === null) return ''
  const what = `commit ${shortRevision(commit)}`
  if (merged) return `${what} is on the protected branch\n`
  return branch === null ? '' : `${what} proposes the same on branch ${branch}\n`
}

function expiry(text: string, now: Date): string {
  try {
    return new Date(now.getTime() + parseDuration(text)).toISOString()
  } catch (cause) {
    throw fail('SW_USAGE', `--for: ${(cause as Error).message}`, { cause })
  }
}
