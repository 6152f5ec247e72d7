import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '../../lib/json.ts'
import { plainPath, realFolder } from '../fs/inside.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import { runOwnProgram } from '../process/program.ts'

/**
 * Git in the workspace. Nothing that a repository brings is run: no hooks, no monitor, no editor, no external diff, no helper
 * of a transport, and no configuration of whoever started the controller. What a program of the workspace may have made of its
 * configuration (filters have names, which nobody can list beforehand) runs where that program ran: in the sandbox, without a network.
 */
const SAFE = [
  ...['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'core.pager=cat', '-c', 'core.editor=true'],
  ...['-c', 'core.sshCommand=ssh -oBatchMode=yes', '-c', 'commit.gpgSign=false', '-c', 'tag.gpgSign=false'],
  ...['-c', 'protocol.ext.allow=never', '-c', 'protocol.file.allow=never', '-c', 'credential.helper='],
  ...['-c', 'log.showSignature=false', '-c', 'submodule.recurse=false', '-c', 'core.attributesFile=/dev/null'],
  // A folder with the files of a repository is none unless it is called `.git`, where no tool but these writes.
  ...['-c', 'safe.bareRepository=explicit', '-c', 'core.alternateRefsCommand=false'],
  ...['-c', 'safe.directory=*', '-c', 'gc.auto=0', '-c', 'maintenance.auto=false', '-c', 'init.defaultBranch=main'],
]

const ENVIRONMENT = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: 'true',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_EDITOR: 'true',
  GIT_NO_LAZY_FETCH: '1',
  LC_ALL: 'C.UTF-8',
}

export const dirParameter: JsonObject = {
  type: 'string',
  minLength: 1,
  maxLength: 4096,
  description: 'Folder of the repository, below the workspace. Default: the workspace.',
}
/** A branch, tag or commit; never an option. */
export const refParameter: JsonObject = {
  type: 'string',
  maxLength: 255,
  pattern: '^[A-Za-z0-9_][A-Za-z0-9_./@^~{}-]*$',
}

/** Where a repository is; throws SW_PATH_ESCAPES. `make`: it need not be there. */
export async function repositoryFolder({ workspace, parameters }: Invocation): Promise<string> {
  const { dir = '.' } = parameters as { dir?: string }
  const { folder, missing } = await realFolder(workspace, join(plainPath(dir), 'entry'))
  return missing.length === 0 ? folder : join(folder, ...missing)
}

export interface GitOptions {
  readonly ok?: readonly number[]
  readonly input?: string
  readonly author?: { readonly name: string; readonly email: string }
  /** What it may fetch over, and with what; left out: it reaches nobody. */
  readonly transport?: Transport
}

export interface Transport {
  /** Options of git. */
  readonly options: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

const NO_TRANSPORT: Transport = { options: [], environment: { GIT_ALLOW_PROTOCOL: '' } }

/** Runs git in a folder; a repository above the workspace is not found. */
export async function git(
  call: Invocation,
  dependencies: ToolDependencies,
  cwd: string,
  args: readonly string[],
  { ok, input, author, transport }: GitOptions = {},
): Promise<{ readonly exitCode: number; readonly stdout: string }> {
  const who =
    author === undefined
      ? {}
      : {
          GIT_AUTHOR_NAME: author.name,
          GIT_AUTHOR_EMAIL: author.email,
          GIT_COMMITTER_NAME: author.name,
          GIT_COMMITTER_EMAIL: author.email,
        }
  const { options, environment } = transport ?? NO_TRANSPORT
  const argv = ['git', '-C', cwd, ...SAFE, ...options, ...args]
  const sandbox = await dependencies.sandbox()
  return await runOwnProgram(call, dependencies, {
    // One that fetches has no repository yet whose words it could heed.
    argv:
      sandbox.problem === null && transport === undefined
        ? await sandbox.wrap(argv, { workspace: call.workspace, network: false, files: true })
        : argv,
    environment: {
      ...ENVIRONMENT,
      ...environment,
      ...who,
      GIT_CEILING_DIRECTORIES: join(await realpath(call.workspace), '..'),
    },
    ...(ok === undefined ? {} : { ok }),
    ...(input === undefined ? {} : { input }),
    remedy: 'install git',
  })
}
