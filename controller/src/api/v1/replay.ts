import Type from 'typebox'
import { fail } from '../../lib/error-catalogue.ts'
import { isUuid } from '../../lib/ids.ts'
import type { Executor } from '../../store/database.ts'
import { createdRunIds } from '../../store/queries/rebuild.ts'
import type { ApiContext } from '../context.ts'
import { callerOf } from '../http/request-context.ts'
import type { Api } from '../http/typed.ts'
import { findRun } from './find-run.ts'
import { errorResponses, NamespaceQuery, Nullable, optionalBody, Reference, Uuid } from './schemas.ts'

export const Replay = Type.Object({
  run_id: Uuid,
  name: Type.String(),
  events: Type.Integer({ description: 'events the rows were built from' }),
  steps: Type.Integer(),
  differences: Type.Array(
    Type.Object({
      row: Type.String({ description: 'run, or step <path>#<attempt>' }),
      column: Nullable(Type.String({ description: 'null = the whole row is missing, or no event tells of it' })),
      stored: Type.Unknown(),
      rebuilt: Type.Unknown(),
    }),
  ),
  written: Type.Boolean(),
  correlation_id: Type.String(),
})

/** Builds the rows of a run from its events, compares them with what is stored, and writes them when asked to. */
export function addReplayRoutes(app: Api, context: ApiContext): void {
  app.post(
    '/api/v1/runs/:run/replay',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Rebuild a run from its events',
        params: Type.Object({ run: Reference }),
        querystring: Type.Object(NamespaceQuery, { additionalProperties: false }),
        body: optionalBody({ write: Type.Boolean({ default: false }) }),
        response: { 200: Replay, ...errorResponses },
      },
    },
    async (request) => {
      const runId = await runIdOf(context.store.engine, request.params.run, request.query.namespace ?? null)
      const write = request.body?.write ?? false
      const replay = await context.services.runs.replay({ runId, write }, callerOf(request))
      return {
        run_id: replay.runId,
        name: replay.name,
        events: replay.events,
        steps: replay.steps,
        differences: [...replay.differences],
        written: replay.written,
        correlation_id: request.id,
      }
    },
  )
}

/** Also of a run whose row is gone: its whole id, or its name as the log has it. */
async function runIdOf(sql: Executor, reference: string, namespace: string | null): Promise<string> {
  try {
    return (await findRun(sql, reference, namespace)).run_id
  } catch (error) {
    if ((error as { ref?: string }).ref !== 'SW_NOT_FOUND') throw error
    if (isUuid(reference.toLowerCase())) return reference.toLowerCase()
    const ids = await createdRunIds(sql, reference)
    if (ids.length === 0) throw error
    if (ids.length === 1) return ids[0]!
    throw fail('SW_AMBIGUOUS', `the log has several runs "${reference}": ${ids.join(', ')}`, {
      details: { candidates: ids },
    })
  }
}
