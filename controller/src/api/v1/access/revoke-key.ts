import Type from 'typebox'
import type { EventName } from '../../../events/catalogue.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { isUuid, uuidv7 } from '../../../lib/ids.ts'
import { appendEvents } from '../../../store/log.ts'
import { lockApiKey, revokeApiKey } from '../../../store/queries/api-keys.ts'
import { endPageSessionsOf } from '../../../store/queries/page-sessions.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Reference } from '../schemas.ts'
import { ApiKey, keyData, keyDto, sampleKey } from './key-dto.ts'

export const revokeKey = route({
  operation: 'revokeKey',
  method: 'DELETE',
  path: '/api/v1/keys/{key}',
  tag: 'access',
  access: 'keys.manage',
  summary: 'Revoke an API key',
  description:
    '`{key}` is its name or its id. It opens nothing any more, nor do browsers it signed in: here at once, in other processes within a second.',
  params: Type.Object({ key: Reference }),
  answers: { 200: ApiKey },
  example: {
    params: { key: 'ci' },
    answer: { ...sampleKey, revoked_by: 'user:ada', revoked_at: SAMPLE.later },
  },
  async transact(tx, { params, caller, committed }, context) {
    const now = context.clock.now()
    const id = params.key.toLowerCase()
    const row = await lockApiKey(tx, { id: isUuid(id) ? id : null, name: params.key })
    if (row === null) throw fail('SW_NOT_FOUND', `there is no key "${params.key}"`)
    committed(() => context.apiKeys.forget())
    if (row.revoked_at !== null) return keyDto(row)
    await revokeApiKey(tx, row.key_id, caller.actor, now)
    await endPageSessionsOf(tx, `key:${row.name}`)
    committed(() => context.pageSessions.forget())
    const event = {
      event_id: uuidv7(now.getTime()),
      event_name: 'stateward.key.revoked' satisfies EventName,
      occurred_at: now,
      env_id: 'default',
      actor: caller.actor,
      correlation_id: caller.correlationId,
      resource: { type: 'ApiKey', id: row.key_id },
      data: keyData(row),
    }
    const { lastSeq } = await appendEvents(tx, context.store, [event])
    committed(() => context.nudge(lastSeq))
    return keyDto({ ...row, revoked_by: caller.actor, revoked_at: now })
  },
})
