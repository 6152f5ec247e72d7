import type { KindRow } from '../kinds/kind-row.ts'
import { formatIssue, type Issue } from '../lib/issue.ts'
import type { ApiClient } from './client/api-client.ts'
import { listObjects } from './client/objects.ts'
import { kindByWord } from './kinds/kind-table.ts'

const MOST = 5

/**
 * What is wrong with documents of these kinds at the head, as lines: a document that was never applied is in no list, and
 * nobody should have to know where else to look. Problems that belong to no object are told with every kind.
 */
export async function sourceProblems(client: ApiClient, kinds: readonly KindRow[]): Promise<string> {
  const { items } = await listObjects(client, kindByWord('source'), { namespace: null, selector: null })
  const issues = items.flatMap((source) => (source.status['issues'] as readonly Issue[] | undefined) ?? [])
  const names = new Set(kinds.map(({ kind }) => kind))
  const told = issues.filter(
    ({ severity, object }) => severity === 'error' && (object === undefined || names.has(object.split('/')[0]!)),
  )
  const lines = told.slice(0, MOST).map((issue) => `${formatIssue(issue)}\n`)
  if (told.length > MOST) lines.push(`… and ${told.length - MOST} more: stateward describe sources\n`)
  return lines.length === 0 ? '' : `\nThe head of the state repo has problems:\n${lines.join('')}`
}
