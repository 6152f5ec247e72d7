import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { type RunReadRow, runsById } from '../../../store/queries/runs-read.ts'
import type { ApiContext } from '../../context.ts'
import { NamespaceQuery, only, Reference } from '../schemas.ts'

export const RunParams = Type.Object({ run: Reference })
export const Scope = only(NamespaceQuery)

export const RUN_REFERENCE = '`{run}` is a name, an id, or a unique beginning of one (4 characters or more).'

/** A run as it stands after this process has written to it. */
export async function runOf(context: ApiContext, runId: string): Promise<RunReadRow> {
  const [row] = await runsById(context.store.engine, [runId])
  if (row === undefined) throw fail('SW_NOT_FOUND', `run ${runId} is gone`)
  return row
}
