import Type from 'typebox'
import type { KindDefinition } from '../../../kinds/definition.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { pageListedObjects } from '../../../store/queries/objects-list.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { resolveKind } from '../../kind-names.ts'
import { samplePage } from '../samples.ts'
import { Name, only, PageQuery, pageOf } from '../schemas.ts'
import { ListedObjectDto, listedDto, sampleListed } from './listed-object-dto.ts'

export const listObjects = route({
  operation: 'listObjects',
  method: 'GET',
  path: '/api/v1/objects',
  tag: 'objects',
  access: 'read',
  summary: 'List all that was accepted, whatever its kind',
  description: 'By kind, namespace and name, with conditions and where each is declared; without specs.',
  query: only({
    ...PageQuery,
    kind: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 500,
        description: 'kind, plural, singular or short name; several with commas',
      }),
    ),
    namespace: Type.Optional(Name),
    source: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
    file: Type.Optional(Type.String({ minLength: 1, maxLength: 1000, description: 'path in the source' })),
    ready: Type.Optional(Type.Enum(['True', 'False', 'Unknown'])),
    condition: Type.Optional(
      Type.String({ pattern: '^[A-Z][A-Za-z]{0,62}$', description: 'only what has this condition as True: Drifted …' }),
    ),
    q: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'a part of the name, kind or file' })),
  }),
  answers: { 200: pageOf(ListedObjectDto) },
  example: { query: { kind: 'agents', ready: 'True', limit: 20 }, answer: samplePage(sampleListed) },
  async answer({ query, correlationId }, { store, kinds }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['string', 'string', 'string'])
    const rows = await pageListedObjects(store.reader, {
      kinds: query.kind === undefined ? null : kindsOf(kinds, query.kind),
      namespace: query.namespace ?? null,
      source: query.source ?? null,
      file: query.file ?? null,
      ready: query.ready ?? null,
      condition: query.condition ?? null,
      text: query.q ?? null,
      after: position === null ? null : { kind: position[0], namespace: position[1], name: position[2] },
      limit: query.limit + 1,
    })
    const page = { limit: query.limit, correlationId }
    return pageBody(rows, page, (last) => [last.kind, last.namespace, last.name], listedDto)
  },
})

function kindsOf(kinds: readonly KindDefinition[], words: string): string[] {
  return words.split(',').map((word) => {
    const kind = resolveKind(kinds, word.trim())
    if (kind !== null) return kind.kind
    throw fail('SW_NOT_FOUND', `there is no kind "${word}"`, {
      remedy: `use one of ${kinds.map((each) => each.singular).join(', ')}`,
    })
  })
}
