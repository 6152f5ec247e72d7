// What every coding agent needs around its command line: a folder to work in, its costs in the ledger, JSON out of words.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const { STATEWARD_URL, STATEWARD_TOKEN, STATEWARD_WORKSPACE = '.' } = process.env

/** A clone of inputs.repository (at inputs.ref), else the task's own folder, which is empty. */
export async function workingFolder({ repository, ref }) {
  if (repository === undefined) return STATEWARD_WORKSPACE
  for (const word of [repository, ref ?? ''])
    if (typeof word !== 'string' || word.startsWith('-')) throw new Error('inputs: repository and ref are words')
  const folder = join(STATEWARD_WORKSPACE, 'repository')
  const at = ref === undefined ? [] : ['--branch', ref]
  await promisify(execFile)('git', ['clone', '--quiet', '--depth', '1', ...at, '--', repository, folder])
  return folder
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
