// What every coding agent needs around its command line: a folder to work in, its costs in the ledger, JSON out of words.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const { STATEWARD_URL, STATEWARD_TOKEN, STATEWARD_WORKSPACE = '.' } = process.env

const exec = promisify(execFile)

/** A clone of inputs.repository (at inputs.ref) and its commit, else the task's own folder, which is empty. */
export async function workingFolder({ repository, ref }) {
  if (repository === undefined) return { folder: STATEWARD_WORKSPACE, base: null }
  for (const word of [repository, ref ?? ''])
    if (typeof word !== 'string' || word.startsWith('-')) throw new Error('inputs: repository and ref are words')
  const folder = join(STATEWARD_WORKSPACE, 'repository')
  const at = ref === undefined ? [] : ['--branch', ref]
  await exec('git', ['clone', '--quiet', '--depth', '1', ...at, '--', repository, folder])
  const { stdout } = await exec('git', ['rev-parse', 'HEAD'], { cwd: folder })
  return { folder, base: stdout.trim() }
}

/** Of the patch in an answer. */
const MOST_PATCH = 256 * 1024
/** What command lines leave beside the files of a repository. */
const OURS = ['.', ':!.aider*', ':!.opencode', ':!.gemini', ':!.codex']

/** What changed since the clone, new files and commits of the agent among it: {patch}, cut where it is longer than an answer may be. */
export async function changesIn(folder, base) {
  if (base === null) return {}
  await exec('git', ['add', '--intent-to-add', '--', ...OURS], { cwd: folder })
  const { stdout } = await exec('git', ['diff', '--binary', base, '--', ...OURS], {
    cwd: folder,
    maxBuffer: 256 * 1024 * 1024,
  })
  if (stdout === '') return {}
  return stdout.length <= MOST_PATCH ? { patch: stdout } : { patch: stdout.slice(0, MOST_PATCH), patch_is_cut: true }
}

/** What a task cost is in the sums of its agent, its project and its run; a ledger that is away takes nothing from the answer. */
export async function reportCost(task, provider, { usage, costUsd, model }) {
  if (costUsd === undefined || STATEWARD_URL === undefined) return
  try {
    const response = await fetch(`${STATEWARD_URL}/api/v1/costs`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${STATEWARD_TOKEN}`,
        'content-type': 'application/json',
        'x-correlation-id': task.correlation_id,
        'idempotency-key': `coding-${task.task_id}-${task.attempt}`,
      },
      body: JSON.stringify({
        amount_usd: costUsd.toFixed(9),
        provider,
        model: model ?? null,
        task_id: task.task_id,
        input_tokens: usage?.input_tokens ?? null,
        output_tokens: usage?.output_tokens ?? null,
      }),
    })
    if (!response.ok) console.error(`the cost was not recorded: ${await response.text()}`)
  } catch (error) {
    console.error(`the cost was not recorded: ${error.message}`)
  }
}

/** The JSON in words: all of them, or the last fenced block. */
export function jsonIn(words = '') {
  const fenced = [...words.matchAll(/```(?:json)?\s*\n([\s\S]*?)```/g)].map(([, inside]) => inside)
  for (const candidate of [words, ...fenced.reverse()]) {
    try {
      return JSON.parse(candidate)
    } catch {
      // The next one may be it.
    }
  }
  return undefined
}
