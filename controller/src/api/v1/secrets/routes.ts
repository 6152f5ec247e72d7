import Type from 'typebox'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { type Route, route } from '../../http/route.ts'
import type { NamedSecret } from '../../ports/secrets.ts'
import { samplePage } from '../samples.ts'
import { Nullable, only, PageQuery, pageOf } from '../schemas.ts'

const Secret = Type.Object(
  {
    secret: Type.String({ description: '`<name>/<key>`, or its path' }),
    named_by: Type.Array(Type.String(), { description: 'objects that name it: `Agent/default/sre`' }),
    provider: Nullable(Type.String({ description: 'where it is; null = nowhere' })),
    problem: Nullable(Type.String({ description: 'why it cannot be used' })),
  },
  { title: 'Secret' },
)

const SecretProvider = Type.Object(
  {
    provider: Type.String({ description: '`environment`, `data folder` or `SecretStore/<name>`' }),
    secrets: Nullable(Type.Array(Type.String(), { description: 'names; null where it cannot tell' })),
    problem: Nullable(Type.String({ description: 'why it could not be asked' })),
  },
  { title: 'SecretProvider' },
)

const listSecrets = route({
  operation: 'listSecrets',
  method: 'GET',
  path: '/api/v1/secrets',
  aliases: [],
  tag: 'secrets',
  access: 'secrets.read',
  summary: 'List the secrets that objects name, and where each is',
  description: 'Names only: no route answers with the value of a secret.',
  query: only({
    ...PageQuery,
    missing: Type.Optional(Type.Boolean({ description: 'only those that cannot be used' })),
  }),
  answers: { 200: pageOf(Secret) },
  example: {
    query: { missing: true },
    answer: samplePage({ secret: 'pager/token', named_by: ['Agent/default/sre'], provider: null, problem: null }),
  },
  async answer({ query, correlationId }, { services }) {
    const after = query.cursor === undefined ? '' : String(decodeCursor(query.cursor, ['string'])[0])
    const all = (await services.secrets.named()).filter(({ secret }) => secret > after)
    const wanted = query.missing === true ? all.filter(({ provider }) => provider === null) : all
    const dto = ({ namedBy, ...rest }: NamedSecret) => ({ ...rest, named_by: [...namedBy] })
    return pageBody(
      wanted.slice(0, query.limit + 1),
      { limit: query.limit, correlationId },
      ({ secret }) => [secret],
      dto,
    )
  },
})

const listSecretProviders = route({
  operation: 'listSecretProviders',
  method: 'GET',
  path: '/api/v1/secrets/providers',
  aliases: [],
  tag: 'secrets',
  access: 'secrets.read',
  summary: 'List where secrets are read from, in the order they are asked, with the names each has',
  query: only(PageQuery),
  answers: { 200: pageOf(SecretProvider) },
  example: {
    answer: samplePage({
      provider: 'SecretStore/repo',
      secrets: ['github/token', 'sys/prod/providers/openai'],
      problem: null,
    }),
  },
  async answer({ query, correlationId }, { services }) {
    const at = query.cursor === undefined ? 0 : Number(decodeCursor(query.cursor, ['number'])[0])
    const all = (await services.secrets.stores()).map((store, i) => ({ ...store, at: i + 1 }))
    return pageBody(
      all.slice(at, at + query.limit + 1),
      { limit: query.limit, correlationId },
      (last) => [last.at],
      ({ provider, secrets, problem }) => ({ provider, secrets: secrets === null ? null : [...secrets], problem }),
    )
  },
})

/** Names of secrets and where they are; values are nowhere in the API. */
export const SECRET_ROUTES: readonly Route[] = [listSecrets, listSecretProviders]
