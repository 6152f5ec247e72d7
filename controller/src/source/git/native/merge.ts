import { once } from 'node:events'
import { fail } from '../../../lib/error-catalogue.ts'
import type { CommitTree, GitMerging, MergedTrees, MoveRef, Patch } from '../../ports.ts'
import { serializeCommit } from '../objects/commit-object.ts'
import { isFullRefName, isOid } from '../ref-names.ts'
import { refMoved } from '../write-request.ts'
import type { GitContext } from './git-process.ts'
import { git, gitFailure, killGroup, readableStderr, runGit, spawnGit, startFailure } from './git-process.ts'
import { deleteRemoteRef } from './remote.ts'
import { signCommit } from './sign-commit.ts'

/** Merging and comparing without a work tree; refs move by compare-and-swap. */
export function gitMerging(
  context: GitContext,
  refTip: (ref: string) => Promise<string | null>,
): Pick<GitMerging, 'mergeTrees' | 'commitTree' | 'moveRef' | 'deleteRemoteRef' | 'patch'> {
  return {
    mergeTrees: (ours, theirs) => mergeTrees(context, ours, theirs),
    commitTree: (request) => commitTree(context, request),
    moveRef: (request) => moveRef(context, refTip, request),
    deleteRemoteRef: (request) => deleteRemoteRef(context, request),
    patch: (from, to, { maxBytes }) => patch(context, from, to, maxBytes),
  }
}

async function mergeTrees(context: GitContext, ours: string, theirs: string): Promise<MergedTrees> {
  const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', ours, theirs]
  const { code, stdout } = await git(context, args, { accept: [0, 1] })
  const [tree = '', ...files] = stdout.toString('utf8').split('\0')
  return { tree, conflicts: code === 0 ? [] : files.filter((file) => file !== '') }
}

async function commitTree(context: GitContext, request: CommitTree): Promise<string> {
  const { stdout } = await git(context, ['hash-object', '-t', 'commit', '-w', '--stdin'], {
    input: [serializeCommit(request)],
  })
  const commit = stdout.toString('latin1').trim()
  return request.signWith === undefined ? commit : signCommit(context, commit, request.signWith)
}

async function moveRef(
  context: GitContext,
  refTip: (ref: string) => Promise<string | null>,
  { ref, to, expected }: MoveRef,
): Promise<void> {
  if (!isFullRefName(ref)) throw fail('SW_REPO_INVALID', `"${ref}" is not the full name of a ref`)
  for (const oid of [to, expected])
    if (oid !== null && !isOid(oid)) throw fail('SW_REV_MISSING', `"${oid}" is not the id of a commit`)
  const line =
    to === null
      ? `delete ${ref}${expected === null ? '' : ` ${expected}`}`
      : expected === null
        ? `create ${ref} ${to}`
        : `update ${ref} ${to} ${expected}`
  const args = ['update-ref', '--no-deref', '-m', 'stateward', '--stdin']
  const outcome = await runGit(context, args, { input: [`${line}\n`] })
  if (outcome.code === 0) return
  const now = await refTip(ref)
  if (now !== expected) throw refMoved(ref, expected, now)
  throw gitFailure(args, outcome)
}

/** Ends git as soon as there is enough: a commit may hold files of any size. */
async function patch(context: GitContext, from: string, to: string, maxBytes: number): Promise<Patch> {
  const args = ['diff', '--no-color', '--no-ext-diff', '--no-textconv', '--find-renames', from, to, '--']
  const child = spawnGit(context, args)
  const parts: Buffer[] = []
  const stderr: Buffer[] = []
  let bytes = 0
  child.stdin.end()
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.stdout.on('data', (chunk: Buffer) => {
    if (bytes > maxBytes) return
    parts.push(chunk)
    bytes += chunk.length
    if (bytes > maxBytes) killGroup(child)
  })
  const [code] = await once(child, 'close').catch((error: unknown) => {
    throw startFailure(context, error)
  })
  const text = Buffer.concat(parts).subarray(0, maxBytes)
  if (bytes > maxBytes) return { text: text.toString('utf8'), truncated: true }
  if (code !== 0)
    throw gitFailure(args, {
      code,
      stdout: text,
      stderr: readableStderr(Buffer.concat(stderr).toString('utf8')),
      timedOut: false,
    })
  return { text: text.toString('utf8'), truncated: false }
}
