import Type, { type Static } from 'typebox'
import { pageDeadLetters, type DeadLetter as Row } from '../../../store/queries/dead-letters.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { JsonMap, NamespaceQuery, Nullable, only, PageQuery, pageOf, Time, Uuid } from '../schemas.ts'

export const DeadLetter = Type.Object(
  {
    dead_letter_id: Uuid,
    kind: Type.Enum(['trigger', 'run'], {
      description:
        'trigger: an event asked for a run that could not be made. run: its work failed in the last attempt.',
    }),
    namespace: Type.String(),
    blueprint_ref: Nullable(Type.String()),
    trigger: Type.String(),
    event_id: Nullable(Uuid),
    run_id: Nullable(Uuid),
    run: Nullable(Type.String()),
    step: Nullable(Type.String({ description: 'path of the step that failed' })),
    attempts: Type.Integer(),
    error: JsonMap,
    occurred_at: Time,
    requeued_at: Nullable(Time),
    requeued_by: Nullable(Type.String()),
    requeued_run_id: Nullable(Uuid),
    correlation_id: Type.String(),
  },
  { title: 'DeadLetter' },
)

const sampleDeadLetter: Static<typeof DeadLetter> = {
  dead_letter_id: SAMPLE.run,
  kind: 'run',
  namespace: 'default',
  blueprint_ref: 'checkmk-auto-remediate',
  trigger: 'event:checkmk.alert',
  event_id: SAMPLE.event,
  run_id: SAMPLE.run,
  run: 'checkmk-auto-remediate-k3q9zt',
  step: 'fix',
  attempts: 3,
  error: { code: 'tool_failed', category: 'tool', message: 'ssh.run: connection refused', retryable: true },
  occurred_at: SAMPLE.later,
  requeued_at: null,
  requeued_by: null,
  requeued_run_id: null,
  correlation_id: SAMPLE.correlation,
}

function deadLetterDto(row: Row): Static<typeof DeadLetter> {
  const { blueprint, path, occurred_at, requeued_at, blueprint_uid: _uid, ...rest } = row
  return {
    ...rest,
    blueprint_ref: blueprint,
    step: path,
    occurred_at: occurred_at.toISOString(),
    requeued_at: requeued_at?.toISOString() ?? null,
  }
}

export const listDeadLetters = route({
  operation: 'listDeadLetters',
  method: 'GET',
  path: '/api/v1/dead-letters',
  tag: 'recovery',
  access: 'read',
  summary: 'List dead letters',
  description:
    'Events that asked for a run that could not be made, and runs whose work failed for good; the newest first.',
  query: only({
    ...PageQuery,
    ...NamespaceQuery,
    requeued: Type.Boolean({ default: false, description: 'those that somebody has requeued, instead of the others' }),
  }),
  answers: { 200: pageOf(DeadLetter) },
  example: { query: { namespace: 'default' }, answer: samplePage(sampleDeadLetter) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const rows = await pageDeadLetters(reader, {
      namespace: query.namespace ?? null,
      requeued: query.requeued,
      after: position === null ? null : { occurredAt: position[0], id: position[1] },
      limit: query.limit + 1,
    })
    return pageBody(
      rows,
      { limit: query.limit, correlationId },
      ({ occurred_at, dead_letter_id }) => [occurred_at, dead_letter_id],
      deadLetterDto,
    )
  },
})
