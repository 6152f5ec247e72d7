import { Option } from 'commander'
import { RUN } from '../kinds/record-kinds.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import { shortRevision } from '../lib/short-revision.ts'
import { namespaceOf, namespaceOption, OUTPUT_FLAG, readTarget, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

/** What the API answers to suspend and resume. */
interface Override {
  readonly branch: string | null
  readonly commit: string | null
  readonly merged: boolean
}

export function defineOverride(command: Parameters<NonNullable<Verb['define']>>[0]): void {
  namespaceOption(command)
    .option('--merge', 'put the commit on the protected branch at once, instead of proposing it')
    .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text'))
}

/** Suspends or resumes one object: at once, and as a commit that follows. */
export async function override(call: VerbCall, verb: 'suspend' | 'resume'): Promise<ExitCode> {
  const { options, terminal } = call
  const { kind, name } = readTarget(call.args[0] ?? '', call.args[1])
  if (kind === RUN)
    throw fail('SW_USAGE', 'a run cannot be suspended', {
      remedy: 'cancel it, or suspend its blueprint so that no new one starts',
    })
  const reason = textOption(options, 'reason')
  const expires = expiry(textOption(options, 'for'), terminal.clock.now())
  const client = await call.client()
  const result = await client.call(verb === 'suspend' ? 'suspendObject' : 'resumeObject', {
    body: {
      kind: kind.kind,
      name,
      ...(kind.scope === 'Cluster' ? {} : { namespace: namespaceOf(options) }),
      ...(reason === undefined ? {} : { reason }),
      ...(expires === null ? {} : { expires_at: expires }),
      merge: options['merge'] === true,
    },
  })
  if (options['output'] === 'json') await terminal.out(renderJson(result))
  else {
    const until = expires === null ? '' : ` until ${expires}`
    await terminal.out(
      `${kind.singular}/${name} is ${verb === 'suspend' ? `suspended${until}` : 'resumed'}\n${commitLine(result)}`,
    )
  }
  return 0
}

function commitLine({ branch, commit, merged }: Override): string {
  if (commit === null) return ''
  const what = `commit ${shortRevision(commit)}`
  if (merged) return `${what} is on the protected branch\n`
  return branch === null ? '' : `${what} proposes the same on branch ${branch}\n`
}

function expiry(text: string | undefined, now: Date): string | null {
  if (text === undefined) return null
  try {
    return new Date(now.getTime() + parseDuration(text)).toISOString()
  } catch (cause) {
    throw fail('SW_USAGE', `--for: ${(cause as Error).message}`, { cause })
  }
}
