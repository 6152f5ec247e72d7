import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage } from '../lib/errors.ts'
import { textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import type { Terminal } from './terminal.ts'
import type { ExitCode, VerbCall } from './verb.ts'

/**
 * Proposes whole files: the commit is of whoever's token is used, so this is how an agent's program, or somebody in its place,
 * proposes without git. Throws SW_USAGE for files that cannot be read.
 */
export async function createProposal(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const title = textOption(options, 'title')
  const written = (options['file'] as readonly string[] | undefined) ?? []
  const removed = (options['delete'] as readonly string[] | undefined) ?? []
  if (title === undefined || written.length + removed.length === 0)
    throw fail(
      'SW_USAGE',
      'it is: stateward proposals create --title <text> --file <path in the repo>[=<local file>] …',
    )
  const files: Record<string, string | null> = {}
  for (const file of written) {
    const at = file.indexOf('=')
    const [path, local] = at === -1 ? [file, file] : [file.slice(0, at), file.slice(at + 1)]
    files[path] = await textOf(local, terminal)
  }
  for (const path of removed) files[path] = null
  const more = { description: textOption(options, 'description'), run_id: textOption(options, 'run') }
  const topic = textOption(options, 'topic')
  const proposal = await (await call.client()).call('createProposal', {
    body: {
      ...{ title, files },
      ...(more.description === undefined ? {} : { description: more.description }),
      ...(more.run_id === undefined ? {} : { run_id: more.run_id }),
      ...(topic === undefined ? {} : { topic }),
    },
  })
  const text = `proposal ${proposal.id} is open on ${proposal.branch}, by ${proposal.author}\n`
  await terminal.out(options['output'] === 'json' ? renderJson(proposal) : text)
  return 0
}

async function textOf(local: string, terminal: Terminal): Promise<string> {
  if (local === '-') return terminal.stdin()
  const name = resolve(terminal.cwd, local)
  try {
    return await readFile(name, 'utf8')
  } catch (cause) {
    throw fail('SW_USAGE', `--file: ${name} cannot be read: ${errorMessage(cause)}`, { cause })
  }
}
