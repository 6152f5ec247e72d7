import Type, { type Static } from 'typebox'
import type { JsonObject } from '../../../lib/json.ts'
import type { ApiKeyRow } from '../../../store/queries/api-keys.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, Time, Uuid } from '../schemas.ts'

export const keyFields = {
  key_id: Uuid,
  name: Type.String(),
  prefix: Type.String({ description: 'the beginning of the key, to tell it by' }),
  roles: Type.Array(Type.String()),
  verbs: Nullable(
    Type.Array(Type.String(), { description: 'only these of the verbs of its roles; null = all of them' }),
  ),
  created_by: Type.String(),
  created_at: Time,
  expires_at: Nullable(Time),
  revoked_by: Nullable(Type.String()),
  revoked_at: Nullable(Time),
  last_used_at: Nullable(Type.String({ format: 'date-time', description: 'exact to a minute' })),
}
export const ApiKey = Type.Object(keyFields, { title: 'ApiKey' })

export function keyDto(row: ApiKeyRow): Static<typeof ApiKey> {
  const iso = (time: Date | null): string | null => time?.toISOString() ?? null
  return {
    key_id: row.key_id,
    name: row.name,
    prefix: row.prefix,
    roles: [...row.roles],
    verbs: row.verbs === null ? null : [...row.verbs],
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    expires_at: iso(row.expires_at),
    revoked_by: row.revoked_by,
    revoked_at: iso(row.revoked_at),
    last_used_at: iso(row.last_used_at),
  }
}

/** What events about a key say of it. */
export function keyData(
  row: Pick<ApiKeyRow, 'key_id' | 'name' | 'prefix' | 'roles' | 'verbs' | 'expires_at'>,
): JsonObject {
  return {
    key_id: row.key_id,
    name: row.name,
    prefix: row.prefix,
    roles: [...row.roles],
    verbs: row.verbs === null ? null : [...row.verbs],
    expires_at: row.expires_at?.toISOString() ?? null,
  }
}

export const sampleKey: Static<typeof ApiKey> = {
  key_id: SAMPLE.key,
  name: 'ci',
  prefix: 'swk_3fT9',
  roles: ['operator'],
  verbs: ['runs.start', 'read'],
  created_by: 'user:ada',
  created_at: SAMPLE.time,
  expires_at: null,
  revoked_by: null,
  revoked_at: null,
  last_used_at: null,
}
