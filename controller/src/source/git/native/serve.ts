import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fail } from '../../../lib/error-catalogue.ts'
import type { GitService, PushChecks, PushCommand } from '../../ports.ts'
import type { GitContext } from './git-process.ts'
import { gitSettings, killGroup, readableStderr, startFailure } from './git-process.ts'
import { pushedObjects } from './pushed-objects.ts'

/**
 * The server's side of git over HTTP: `upload-pack` and `receive-pack` without state between requests. What is pushed is
 * unpacked where nobody sees it; its refs move only after the checks have let it through, and with a check that fails nothing
 * of it is kept.
 */
export function gitService(context: GitContext): GitService {
  return {
    advertise: (service, options) =>
      start(context, [SERVICE[service], '--stateless-rpc', '--http-backend-info-refs'], options).answer(),
    uploadPack: (input, options) => {
      const run = start(context, ['upload-pack', '--stateless-rpc', '--strict'], options)
      run.feed(input)
      return run.answer()
    },
    receivePack: (input, options) => receivePack(context, input, options),
  }
}

const SERVICE = { 'git-upload-pack': 'upload-pack', 'git-receive-pack': 'receive-pack' } as const

/** What nobody who fetches or pushes gets to see or move: the controller's own refs, but one. */
const SERVED = [
  'transfer.hideRefs=refs/stateward/',
  // Whoever may freeze says so there; the last word on a ref counts.
  'transfer.hideRefs=!refs/stateward/freeze',
  'uploadpack.allowFilter=true',
]

interface Run {
  readonly child: ChildProcess
  feed(input: Readable): void
  /** Its output, which fails when it does. */
  answer(): Readable
  /** Resolves with everything it wrote; rejects when it failed. */
  whole(): Promise<Buffer>
}

function start(
  context: GitContext,
  args: readonly string[],
  options: { readonly protocol: string | null },
  more: { readonly settings?: readonly string[]; readonly channel?: boolean } = {},
): Run {
  const settings = [...gitSettings(), ...SERVED, ...(more.settings ?? [])].flatMap((setting) => ['-c', setting])
  const pipes = more.channel === true ? (['pipe', 'pipe'] as const) : []
  const child = spawn(context.binary, [...settings, ...args, context.gitDir], {
    env: { ...context.env, ...(options.protocol === null ? {} : { GIT_PROTOCOL: options.protocol }) },
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', ...pipes],
  })
  context.children.add(child)
  child.once('close', () => context.children.delete(child))
  const stderr: Buffer[] = []
  child.stderr!.on('data', (chunk: Buffer) => stderr.push(chunk))
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(startFailure(context, error)))
    child.once('close', (code) => {
      if (code === 0) return resolve()
      const said = readableStderr(Buffer.concat(stderr).toString('utf8'))
      reject(fail('SW_GIT_FAILED', `git ${args[0]} ended with ${code}${said === '' ? '' : `: ${said}`}`))
    })
  })
  ended.catch(() => undefined)
  return {
    child,
    feed(input) {
      // A child that ends early is judged by how it ended; a client that goes away ends the child.
      pipeline(input, child.stdin!).catch(() => {
        if (input.destroyed && !input.readableEnded) killGroup(child)
      })
    },
    answer() {
      child.stdout!.once('close', () => undefined)
      ended.catch((error: Error) => child.stdout!.destroy(error))
      return child.stdout!
    },
    async whole() {
      const parts: Buffer[] = []
      child.stdout!.on('data', (chunk: Buffer) => parts.push(chunk))
      await ended
      return Buffer.concat(parts)
    },
  }
}

/** Speaks with the process that started git, over descriptors 3 and 4: what is pushed there, a verdict with lines to show back. */
const HOOK = `#!/bin/sh
{ printf '%s\\n%s\\n%s\\n' "\${0##*/}" "\${GIT_OBJECT_DIRECTORY-}" "\${GIT_ALTERNATE_OBJECT_DIRECTORIES-}"; cat; echo end; } >&3
while IFS= read -r line <&4; do
  case $line in
    '>'*) printf '%s\\n' "\${line#>}" >&2 ;;
    ok) exit 0 ;;
    *) exit 1 ;;
  esac
done
exit 1
`

async function writeHooks(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const name of ['pre-receive', 'post-receive']) {
    // Renamed into place: git never runs half a script.
    const draft = join(folder, `.${name}.${process.pid}`)
    await writeFile(draft, HOOK)
    await chmod(draft, 0o755)
    await rename(draft, join(folder, name))
  }
}

async function receivePack(
  context: GitContext,
  input: Readable,
  options: {
    readonly protocol: string | null
    readonly maxBytes: number
    readonly hooksFolder: string
    readonly checks: PushChecks
  },
): Promise<Buffer> {
  await writeHooks(options.hooksFolder)
  const settings = [
    `core.hooksPath=${options.hooksFolder}`,
    `receive.maxInputSize=${options.maxBytes}`,
    'receive.fsckObjects=true',
    'receive.autogc=false',
    'receive.advertisePushOptions=false',
  ]
  const run = start(context, ['receive-pack', '--stateless-rpc'], options, { settings, channel: true })
  const answering = answerHooks(context, run.child, options.checks)
  run.feed(input)
  try {
    return await run.whole()
  } finally {
    await answering
    await options.checks.ended()
  }
}

/** Answers the two hooks as they ask, one after the other. Ends when git does. */
async function answerHooks(context: GitContext, child: ChildProcess, checks: PushChecks): Promise<void> {
  const asked = child.stdio[3] as Readable
  const answer = child.stdio[4] as Writable
  // A git that was ended does not listen any more.
  answer.on('error', () => undefined)
  let told: string[] = []
  for await (const line of createInterface({ input: asked })) {
    if (line !== 'end') {
      told.push(line)
      continue
    }
    const [name, objects = '', alternates = '', ...rest] = told
    told = []
    const commands = rest.map(commandOf)
    const said =
      name === 'pre-receive'
        ? await checks.before(commands, pushedObjects(quarantine(context, objects, alternates), commands))
        : { ok: true, lines: await checks.after(commands) }
    const lines = said.lines.flatMap((text) => text.split('\n')).map((text) => `>${text}\n`)
    answer.write(`${lines.join('')}${said.ok ? 'ok' : 'no'}\n`)
  }
}

/** Lets other git processes read what is not accepted yet. */
function quarantine(context: GitContext, objects: string, alternates: string): GitContext {
  const env = {
    ...context.env,
    ...(objects === '' ? {} : { GIT_OBJECT_DIRECTORY: objects, GIT_ALTERNATE_OBJECT_DIRECTORIES: alternates }),
  }
  return { ...context, env }
}

const ZEROS = /^0+$/

function commandOf(line: string): PushCommand {
  const [from = '', to = '', ...ref] = line.split(' ')
  return { ref: ref.join(' '), from: ZEROS.test(from) ? null : from, to: ZEROS.test(to) ? null : to }
}
