import Type, { type Static } from 'typebox'
import type { RunPage, RunStatus } from '../../../store/queries/runs-read.ts'
import { NamespaceQuery, only, Uuid } from '../schemas.ts'

const STATUS = 'created|running|completed|failed|cancelled'

/** What narrows a list of runs, and the counts beside it. */
export const RunFilter = {
  ...NamespaceQuery,
  status: Type.Optional(
    Type.String({
      maxLength: 100,
      pattern: `^(${STATUS})(,(${STATUS}))*$`,
      description: `one of ${STATUS.replaceAll('|', ', ')}, or several with commas`,
    }),
  ),
  blueprint_ref: Type.Optional(
    Type.String({ maxLength: 253, description: 'name of the blueprint, or the id its older format had' }),
  ),
  since: Type.Optional(Type.String({ format: 'date-time', description: 'only runs created then or later' })),
  waits_for: Type.Optional(
    Type.Literal('approval', { description: 'approval = only runs that wait for the decision of a person' }),
  ),
  q: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'a part of the name or blueprint, or the beginning of the id',
    }),
  ),
  trigger: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      pattern: '^([^*]*\\*){0,4}[^*]*$',
      description: 'manual, event:checkmk.alert …; with up to four * as wildcards',
    }),
  ),
  actor: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
  correlation_id: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  event_id: Type.Optional(Uuid),
  revision: Type.Optional(Type.String({ minLength: 7, maxLength: 128 })),
}

const _filter = only(RunFilter)

export function runFilter(query: Static<typeof _filter>): Omit<RunPage, 'after' | 'limit'> {
  return {
    namespace: query.namespace ?? null,
    blueprint: query.blueprint_ref ?? null,
    // The pattern lets only such words pass.
    statuses: query.status === undefined ? null : (query.status.split(',') as RunStatus[]),
    since: query.since === undefined ? null : new Date(query.since),
    waitsForApproval: query.waits_for === 'approval',
    text: query.q ?? null,
    trigger: query.trigger ?? null,
    actor: query.actor ?? null,
    correlationId: query.correlation_id ?? null,
    event: query.event_id ?? null,
    revision: query.revision ?? null,
  }
}
