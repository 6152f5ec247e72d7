import type { TreeEntry, WriteCommit } from '../../ports.ts'
import { commitMessage, personLine } from '../objects/commit-object.ts'
import type { CheckedWrite } from '../write-request.ts'
import { checkWrite, expectedTip, modeOfWrite, refMoved } from '../write-request.ts'
import type { GitContext } from './git-process.ts'
import { git, gitFailure, runGit } from './git-process.ts'
import { signCommit } from './sign-commit.ts'

/** What writing needs to know of the repository it writes into. */
export interface CommitReader {
  /** The commit a full ref name holds; null when it does not exist. */
  refTip(ref: string): Promise<string | null>
  treeOf(commit: string): Promise<string>
  entry(tree: string, path: string): Promise<TreeEntry | null>
}

/** A name inside one fast-import, which forgets it before it ends: never on disk. */
const SCRATCH_REF = 'refs/stateward/import'

/**
 * Writes a commit with one `git fast-import` and moves the ref with `git update-ref --stdin` and the old value, which
 * is a compare-and-swap across processes. A lost swap leaves an unreachable commit and throws SW_CONFLICT.
 */
export async function writeCommit(context: GitContext, reader: CommitReader, request: WriteCommit): Promise<string> {
  const checked = checkWrite(request)
  const before = await reader.refTip(request.ref)
  const expected = expectedTip(request)
  if (before !== expected) throw refMoved(request.ref, expected, before)

  const base = request.base === undefined ? request.parent : request.base
  const baseTree = base === null ? null : await reader.treeOf(base)
  const modes = await writtenModes(reader, request, checked, baseTree)
  const imported = await git(context, ['fast-import', '--quiet', '--date-format=raw'], {
    input: importStream(request, checked, modes, baseTree),
  })
  const unsigned = imported.stdout.toString('latin1').trim()
  const { signWith } = request
  const commit = signWith === undefined ? unsigned : await signCommit(context, unsigned, signWith)

  const args = ['update-ref', '--no-deref', '-m', 'stateward', '--stdin']
  const line = expected === null ? `create ${request.ref} ${commit}\n` : `update ${request.ref} ${commit} ${expected}\n`
  const outcome = await runGit(context, args, { input: [line] })
  if (outcome.code === 0) return commit
  const now = await reader.refTip(request.ref)
  if (now !== expected) throw refMoved(request.ref, expected, now)
  throw gitFailure(args, outcome)
}

async function writtenModes(
  reader: CommitReader,
  request: WriteCommit,
  checked: CheckedWrite,
  baseTree: string | null,
): Promise<ReadonlyMap<string, string>> {
  const modes = new Map<string, string>()
  for (const { path } of checked.writes) {
    const known = request.executable !== undefined || baseTree === null
    modes.set(path, modeOfWrite(request, path, known ? undefined : (await reader.entry(baseTree, path))?.mode))
  }
  return modes
}

function* importStream(
  request: WriteCommit,
  checked: CheckedWrite,
  modes: ReadonlyMap<string, string>,
  baseTree: string | null,
): Generator<Uint8Array | string> {
  yield `commit ${SCRATCH_REF}\nmark :1\n`
  yield `author ${personLine(request.author, request.time)}\ncommitter ${personLine(request.committer, request.time)}\n`
  yield* data(Buffer.from(commitMessage(request.message)))
  if (request.parent !== null) yield `from ${request.parent}\n`
  // The tree is always said in full: the parent's is not what is wanted when `base` differs.
  yield baseTree === null ? 'deleteall\n' : `M 040000 ${baseTree} ""\n`
  for (const path of checked.deletes) yield `D ${quotePath(path)}\n`
  for (const { path, bytes } of checked.writes) {
    yield `M ${modes.get(path)} inline ${quotePath(path)}\n`
    yield* data(bytes)
  }
  // A reset without `from` forgets the name: nothing of it is written at the end.
  yield `\nget-mark :1\nreset ${SCRATCH_REF}\n\ndone\n`
}

function* data(bytes: Uint8Array): Generator<Uint8Array | string> {
  yield `data ${bytes.byteLength}\n`
  yield bytes
  yield '\n'
}

/** C-style quotes, as fast-import reads them. */
function quotePath(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}
