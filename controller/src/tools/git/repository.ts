import { mkdir } from 'node:fs/promises'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'
import { dirParameter, git, refParameter, repositoryFolder } from './git.ts'

const cost = { estimatedCents: 0, estimatedLatencyMs: 100 }
const common = { idempotent: true, timeout: '5m', cost } as const
const shape = { type: 'object', additionalProperties: false } as const
const answers = (...required: string[]): JsonObject => ({ type: 'object', required })

async function init(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const { dir = '.', branch = 'main' } = call.parameters as { dir?: string; branch?: string }
  const folder = await repositoryFolder(call)
  await mkdir(folder, { recursive: true })
  await git(call, dependencies, folder, ['init', '--quiet', `--initial-branch=${branch}`, '--template='])
  return { dir, branch }
}

export const gitRepoInit: BuiltinTool = {
  ...common,
  name: 'git.repo.init',
  aliases: ['git_repo_init'],
  description: 'Makes a git repository in the workspace; one that is there stays as it is.',
  inputSchema: { ...shape, properties: { dir: dirParameter, branch: refParameter } },
  outputSchema: answers('dir', 'branch'),
  risk: 'low',
  sideEffects: 'irreversible',
  run: init,
}

async function diff(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const { from, to, staged = false } = call.parameters as { from?: string; to?: string; staged?: boolean }
  const folder = await repositoryFolder(call)
  const range = [...(from === undefined ? [] : [from]), ...(to === undefined ? [] : [to])]
  const safe = ['--no-color', '--no-ext-diff', '--no-textconv', ...(staged ? ['--cached'] : [])]
  const { stdout } = await git(call, dependencies, folder, ['diff', ...safe, ...range, '--'])
  const names = await git(call, dependencies, folder, ['diff', '--name-only', '-z', ...safe, ...range, '--'])
  return { patch: stdout, files: names.stdout.split('\0').filter((name) => name !== '') }
}

export const gitDiff: BuiltinTool = {
  ...common,
  name: 'git.diff',
  aliases: ['git_diff'],
  description: 'Shows what differs in a repository: the working tree, what is staged, or two commits.',
  inputSchema: {
    ...shape,
    properties: { dir: dirParameter, from: refParameter, to: refParameter, staged: { type: 'boolean' } },
  },
  outputSchema: answers('patch', 'files'),
  risk: 'low',
  sideEffects: 'none',
  run: diff,
}

async function checkout(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const { ref, create = false } = call.parameters as { ref: string; create?: boolean }
  const folder = await repositoryFolder(call)
  const known = await git(call, dependencies, folder, ['rev-parse', '--verify', '--quiet', `refs/heads/${ref}`], {
    ok: [0, 1],
  })
  await git(call, dependencies, folder, ['checkout', '--quiet', ...(create && known.exitCode !== 0 ? ['-b'] : []), ref])
  const { stdout } = await git(call, dependencies, folder, ['rev-parse', '--verify', '--quiet', 'HEAD'], { ok: [0, 1] })
  return { ref, commit: stdout.trim() === '' ? null : stdout.trim() }
}

export const gitCheckout: BuiltinTool = {
  ...common,
  name: 'git.checkout',
  aliases: ['git_checkout'],
  description: 'Switches a repository to a branch, tag or commit; refused where changes would be lost.',
  inputSchema: {
    ...shape,
    required: ['ref'],
    properties: { dir: dirParameter, ref: refParameter, create: { type: 'boolean', description: 'Make the branch.' } },
  },
  outputSchema: answers('ref', 'commit'),
  risk: 'low',
  sideEffects: 'irreversible',
  run: checkout,
}

const FIELDS = ['%H', '%an', '%ae', '%aI', '%s', '%(trailers:key=Stateward-Run,valueonly,separator=%x2C)']

async function log(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const { ref = 'HEAD', limit = 50 } = call.parameters as { ref?: string; limit?: number }
  const folder = await repositoryFolder(call)
  const head = await git(call, dependencies, folder, ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], {
    ok: [0, 1, 128],
  })
  if (head.exitCode !== 0) return { commits: [] }
  const { stdout } = await git(call, dependencies, folder, [
    ...['log', '--no-color', '-z', `--max-count=${limit}`, `--format=${FIELDS.join('%x1f')}`, head.stdout.trim(), '--'],
  ])
  const commits = stdout
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const [commit = '', author = '', email = '', time = '', subject = '', run = ''] = line.split('\u001F')
      return { commit, author, email, time, subject, run: run.trim() === '' ? null : run.trim() }
    })
  return { commits }
}

export const gitLog: BuiltinTool = {
  ...common,
  name: 'git.log',
  aliases: ['git_log'],
  description: 'Lists commits of a repository, the newest first, with the run that made each.',
  inputSchema: {
    ...shape,
    properties: { dir: dirParameter, ref: refParameter, limit: { type: 'integer', minimum: 1, maximum: 1000 } },
  },
  outputSchema: answers('commits'),
  risk: 'low',
  sideEffects: 'none',
  run: log,
}
