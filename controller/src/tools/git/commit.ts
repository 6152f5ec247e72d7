import { fail } from '../../lib/error-catalogue.ts'
import { isUuid } from '../../lib/ids.ts'
import type { Json } from '../../lib/json.ts'
import { plainPath } from '../fs/inside.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'
import type { Undo } from '../undo/undo.ts'
import { dirParameter, git, repositoryFolder } from './git.ts'

const AUTHOR = { name: 'Stateward', email: 'stateward@localhost' }
const OPERATION = 'Stateward-Operation'

/** `<run>/…`; null outside of runs. */
function runOf(operationId: string): string | null {
  const run = operationId.split('/', 1)[0]!
  return isUuid(run) ? run : null
}

async function run(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const {
    message,
    paths = [],
    author,
  } = call.parameters as {
    message: string
    paths?: string[]
    author?: { name: string; email: string }
  }
  const folder = await repositoryFolder(call)
  const ask = (args: readonly string[], ok?: readonly number[]) =>
    git(call, dependencies, folder, args, ok === undefined ? {} : { ok })
  const runId = runOf(call.operationId)
  const headOf = async () => (await ask(['rev-parse', '--verify', '--quiet', 'HEAD'], [0, 1])).stdout.trim()
  const before = await headOf()
  // The call before this one may have made the commit, and its process not have lived to say so.
  const trailer =
    before === '' ? '' : (await ask(['log', '-1', `--format=%(trailers:key=${OPERATION},valueonly)`])).stdout.trim()
  if (trailer !== call.operationId) {
    await ask(['add', '--all', '--', ...(paths.length === 0 ? ['.'] : paths.map(plainPath))])
    const changed = await ask(['diff', '--cached', '--quiet', '--no-ext-diff'], [0, 1])
    if (changed.exitCode === 0) throw fail('SW_TOOL_FAILED', 'there is nothing to commit')
    await call.undo.keep({ dir: folder, parent: before === '' ? null : before, operation: call.operationId })
    const trailers = [...(runId === null ? [] : ['--trailer', `Stateward-Run: ${runId}`])]
    await git(
      call,
      dependencies,
      folder,
      ['commit', '--quiet', '--no-verify', ...trailers, '--trailer', `${OPERATION}: ${call.operationId}`, '--file=-'],
      { input: message, author: author ?? AUTHOR },
    )
  }
  const commit = await headOf()
  const patch = (await ask(['show', '--no-color', '--no-ext-diff', '--no-textconv', '--format=', commit])).stdout
  const names = (await ask(['show', '--name-only', '-z', '--format=', commit])).stdout.split('\0')
  const artifact =
    runId === null ? null : await keepPatch(call, dependencies, { name: `${commit.slice(0, 12)}.patch`, patch })
  return {
    commit,
    files: names.map((name) => name.trim()).filter((name) => name !== ''),
    run: runId,
    artifact_id: artifact,
  }
}

async function keepPatch(
  call: Invocation,
  { artifacts }: ToolDependencies,
  { name, patch }: { readonly name: string; readonly patch: string },
): Promise<string> {
  const content = (async function* () {
    yield new TextEncoder().encode(patch)
  })()
  const kept = await artifacts({
    operationId: call.operationId,
    correlationId: call.correlationId,
    name,
    kind: 'patch',
    contentType: 'text/x-diff',
    content,
  })
  return kept.artifact_id
}

/** The branch goes back to where it was, as long as nothing was committed after; the files stay as they are. */
export const undoCommit: Undo = async ({ record, workspace }, _copies, by) => {
  const { dir, parent, operation } = record as { dir: string; parent: string | null; operation: string }
  const call = { ...by.call, workspace }
  const ask = async (...args: string[]): Promise<{ exitCode: number; text: string }> => {
    const { exitCode, stdout } = await git(call, by.dependencies, dir, args, { ok: [0, 1, 128] })
    return { exitCode, text: stdout.trim() }
  }
  const { text: head } = await ask('rev-parse', '--verify', '--quiet', 'HEAD')
  if (head === (parent ?? '')) return { commit: parent, restored: 'it is gone already' }
  const { text: trailer } = await ask('log', '-1', `--format=%(trailers:key=${OPERATION},valueonly)`)
  if (trailer !== operation)
    throw fail('SW_CONFLICT', 'something was committed after it: it is not taken back', {
      remedy: 'revert it with a commit of its own',
    })
  const { exitCode } = parent === null ? await ask('update-ref', '-d', 'HEAD') : await ask('reset', '--soft', parent)
  if (exitCode !== 0) throw fail('SW_TOOL_FAILED', `git could not go back`)
  return { commit: parent, restored: 'the branch is where it was; the files are staged' }
}

export const gitCommit: BuiltinTool = {
  name: 'git.commit',
  aliases: ['git_commit'],
  description:
    'Commits what changed in a repository of the workspace; in a run, with its id, and the patch as an artifact.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['message'],
    properties: {
      dir: dirParameter,
      message: { type: 'string', minLength: 1, maxLength: 16_384 },
      paths: { type: 'array', maxItems: 1000, items: { type: 'string', minLength: 1 }, description: 'Default: all.' },
      author: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'email'],
        properties: {
          name: { type: 'string', pattern: '^[^<>\\r\\n]{1,100}$' },
          email: { type: 'string', pattern: '^[^<>\\s]{1,200}$' },
        },
      },
    },
  },
  outputSchema: { type: 'object', required: ['commit', 'files', 'run', 'artifact_id'] },
  risk: 'medium',
  sideEffects: 'reversible',
  idempotent: true,
  cost: { estimatedCents: 0, estimatedLatencyMs: 300 },
  timeout: '5m',
  run,
}
