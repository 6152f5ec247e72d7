import Type, { type Static } from 'typebox'
import type { HostTokenRow } from '../../../store/queries/host-tokens.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Name, Nullable, only, Time, Uuid } from '../schemas.ts'
import { HostLabels } from './host-dto.ts'

const fields = {
  token_id: Uuid,
  prefix: Type.String({ description: 'the beginning of the token, to tell it by' }),
  host: Nullable(Type.String({ description: 'only a host of this name may join with it' })),
  labels: Type.Record(Type.String(), Type.String(), { description: 'given to the host that joins with it' }),
  uses_left: Nullable(Type.Integer({ description: 'null = as often as wanted' })),
  created_by: Type.String(),
  created_at: Time,
  expires_at: Time,
  revoked_at: Nullable(Time),
  last_used_at: Nullable(Time),
}
const HostToken = Type.Object(fields, { title: 'HostToken' })

const sample: Static<typeof HostToken> = {
  token_id: SAMPLE.host,
  prefix: 'swj_7hGe',
  host: null,
  labels: { zone: 'eu' },
  uses_left: 1,
  created_by: 'user:ada',
  created_at: SAMPLE.time,
  expires_at: SAMPLE.later,
  revoked_at: null,
  last_used_at: null,
}

const HOUR_SECONDS = 3_600

export const createHostToken = route({
  operation: 'createHostToken',
  method: 'POST',
  path: '/api/v1/host-tokens',
  tag: 'hosts',
  access: 'hosts.manage',
  summary: 'Make a token with which a machine can join',
  description: '`token` is shown here and nowhere else, since only its digest is kept.',
  // The answer holds the token, and answers that can be given again are stored.
  idempotency: false,
  body: only(
    {
      host: Type.Optional(Nullable(Name)),
      labels: Type.Optional(HostLabels),
      uses: Type.Optional(
        Nullable(Type.Integer({ minimum: 1, maximum: 10_000, description: 'default 1; null = as often as wanted' })),
      ),
      ttl_seconds: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 30 * 24 * HOUR_SECONDS, description: 'default: an hour' }),
      ),
    },
    { title: 'CreateHostTokenRequest' },
  ),
  answers: { 201: Type.Object({ ...fields, token: Type.String() }, { title: 'CreatedHostToken' }) },
  example: {
    body: { labels: { zone: 'eu' }, uses: 1, ttl_seconds: HOUR_SECONDS },
    answer: { ...sample, token: 'swj_7hGe…' },
  },
  async answer({ body, caller }, { services, clock }) {
    const row = await services.hosts.createToken(
      {
        host: body.host ?? null,
        labels: body.labels ?? {},
        uses: body.uses === undefined ? 1 : body.uses,
        expiresAt: new Date(clock.now().getTime() + (body.ttl_seconds ?? HOUR_SECONDS) * 1000),
      },
      caller,
    )
    return { ...tokenDto(row), token: row.token }
  },
})

export const listHostTokens = route({
  operation: 'listHostTokens',
  method: 'GET',
  path: '/api/v1/host-tokens',
  tag: 'hosts',
  access: 'read',
  summary: 'List the join tokens of the last days',
  answers: {
    200: Type.Object({ items: Type.Array(HostToken), correlation_id: Type.String() }, { title: 'HostTokenList' }),
  },
  example: { answer: { items: [sample], correlation_id: SAMPLE.correlation } },
  async answer({ correlationId }, { services }) {
    return { items: (await services.hosts.listTokens()).map(tokenDto), correlation_id: correlationId }
  },
})

export const revokeHostToken = route({
  operation: 'revokeHostToken',
  method: 'DELETE',
  path: '/api/v1/host-tokens/{token}',
  tag: 'hosts',
  access: 'hosts.manage',
  summary: 'Revoke a join token',
  description: '`{token}` is its id or its beginning as lists show it. Hosts that joined with it stay.',
  idempotency: false,
  params: Type.Object({ token: Type.String({ minLength: 8, maxLength: 64 }) }),
  answers: { 200: HostToken },
  example: { params: { token: 'swj_7hGe' }, answer: { ...sample, revoked_at: SAMPLE.later } },
  answer: async ({ params, caller }, { services }) => tokenDto(await services.hosts.revokeToken(params.token, caller)),
})

function tokenDto(row: HostTokenRow): Static<typeof HostToken> {
  const iso = (time: Date | null): string | null => time?.toISOString() ?? null
  return {
    token_id: row.token_id,
    prefix: row.prefix,
    host: row.host,
    labels: { ...row.labels },
    uses_left: row.uses_left,
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    revoked_at: iso(row.revoked_at),
    last_used_at: iso(row.last_used_at),
  }
}
