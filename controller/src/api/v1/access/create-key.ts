import Type from 'typebox'
import type { EventName } from '../../../events/catalogue.ts'
import { sha256 } from '../../../lib/digest.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { newToken, uuidv7 } from '../../../lib/ids.ts'
import { appendEvents } from '../../../store/log.ts'
import { insertApiKey } from '../../../store/queries/api-keys.ts'
import { verbsOfKey } from '../../auth/api-keys.ts'
import { ROLE_NAMES, type RoleName, roleNamed } from '../../auth/roles.ts'
import { isVerb, VERBS } from '../../auth/verbs.ts'
import { route } from '../../http/route.ts'
import { Name, Nullable, only, Time } from '../schemas.ts'
import { keyData, keyDto, keyFields, sampleKey } from './key-dto.ts'

/** As many characters of a key as logs and lists show. */
const SHOWN = 8

export const createKey = route({
  operation: 'createKey',
  method: 'POST',
  path: '/api/v1/keys',
  tag: 'access',
  access: 'keys.manage',
  summary: 'Make an API key',
  description:
    '`token` is the key itself: it is shown here and nowhere else, since only its digest is kept. Nobody can give a key more than he may do himself.',
  // The answer holds the key, and answers that can be given again are stored.
  idempotency: false,
  body: only(
    {
      name: Name,
      roles: Type.Array(Type.String({ minLength: 1, maxLength: 63 }), {
        minItems: 1,
        maxItems: 10,
        description: 'names of roles, also their aliases',
      }),
      verbs: Type.Optional(
        Nullable(
          Type.Array(Type.String({ minLength: 1, maxLength: 63 }), {
            minItems: 1,
            maxItems: 100,
            description: 'only these of the verbs of its roles',
          }),
        ),
      ),
      expires_at: Type.Optional(Nullable(Time)),
    },
    { title: 'CreateKeyRequest' },
  ),
  answers: { 201: Type.Object({ ...keyFields, token: Type.String() }, { title: 'CreatedApiKey' }) },
  example: {
    body: { name: 'ci', roles: ['operator'], verbs: ['runs.start', 'read'] },
    answer: { ...sampleKey, token: 'swk_3fT9…' },
  },
  async transact(tx, { body, principal, caller, committed }, context) {
    const now = context.clock.now()
    const roles = body.roles.map(roleOf)
    const verbs = body.verbs ?? null
    for (const verb of verbs ?? []) if (!isVerb(verb)) throw unknown('verb', verb, Object.keys(VERBS))
    const beyond = [...verbsOfKey({ roles, verbs })].filter((verb) => !principal.verbs.has(verb))
    if (beyond.length > 0)
      throw fail('SW_FORBIDDEN', `${principal.name} cannot give what he has not: ${beyond.join(', ')}`)
    const expiresAt = body.expires_at == null ? null : new Date(body.expires_at)
    if (expiresAt !== null && expiresAt <= now) throw fail('SW_BAD_REQUEST', 'expires_at is in the past')

    const token = newToken('k')
    const row = {
      key_id: uuidv7(now.getTime()),
      name: body.name,
      prefix: token.slice(0, SHOWN),
      roles: [...new Set(roles)],
      verbs,
      created_by: caller.actor,
      created_at: now,
      expires_at: expiresAt,
    }
    if (!(await insertApiKey(tx, { ...row, digest: sha256(token) })))
      throw fail('SW_CONFLICT', `there is a key "${body.name}"`, { remedy: 'revoke it first, or choose another name' })
    const event = {
      event_id: uuidv7(now.getTime()),
      event_name: 'stateward.key.created' satisfies EventName,
      occurred_at: now,
      env_id: 'default',
      actor: caller.actor,
      correlation_id: caller.correlationId,
      resource: { type: 'ApiKey', id: row.key_id },
      data: keyData(row),
    }
    const { lastSeq } = await appendEvents(tx, context.store, [event])
    committed(() => {
      context.apiKeys.forget()
      context.nudge(lastSeq)
    })
    return { ...keyDto({ ...row, revoked_by: null, revoked_at: null, last_used_at: null }), token }
  },
})

function roleOf(text: string): RoleName {
  const role = roleNamed(text)
  // The roles of an agent's instance and of a host come with their tokens alone.
  if (role === null || role === 'agent' || role === 'host')
    throw unknown(
      'role',
      text,
      ROLE_NAMES.filter((name) => name !== 'agent' && name !== 'host'),
    )
  return role
}

function unknown(what: string, text: string, known: readonly string[]): Error {
  return fail('SW_VALIDATION_FAILED', `there is no ${what} "${text}"`, {
    remedy: `use one of ${known.join(', ')}`,
    details: { violations: [{ path: `body/${what}s`, message: `"${text}" is no ${what}`, keyword: 'enum' }] },
  })
}
