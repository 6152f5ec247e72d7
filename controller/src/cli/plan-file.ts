import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { load } from 'js-yaml'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage } from '../lib/errors.ts'
import { isObject } from '../lib/json.ts'
import type { Terminal } from './terminal.ts'

/** What a file with a plan may say besides it. */
const FIELDS = ['plan', 'name', 'inputs', 'budget_cents', 'priority']

/**
 * Reads the plan of a run: YAML or JSON from a file, or `-` for standard input; a list of steps, or the body of a request
 * with `plan` in it. Throws SW_USAGE for a file that is neither; what the steps say is checked by the server.
 */
export async function readPlanFile(path: string, terminal: Terminal): Promise<Readonly<Record<string, unknown>>> {
  const name = path === '-' ? 'standard input' : resolve(terminal.cwd, path)
  let document: unknown
  try {
    document = load(path === '-' ? await terminal.stdin() : await readFile(name, 'utf8'))
  } catch (cause) {
    throw fail('SW_USAGE', `--plan: ${name} cannot be read: ${errorMessage(cause)}`, { cause })
  }
  if (Array.isArray(document)) return { plan: document }
  if (!isObject(document) || !Array.isArray(document['plan']))
    throw fail('SW_USAGE', `--plan: ${name} holds no plan`, {
      remedy: 'write a list of steps, or a map with the list under plan',
    })
  const unknown = Object.keys(document).filter((field) => !FIELDS.includes(field))
  if (unknown.length > 0)
    throw fail('SW_USAGE', `--plan: ${name} has the field ${unknown[0]}`, { remedy: `use ${FIELDS.join(', ')}` })
  return document
}
