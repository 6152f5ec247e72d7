import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import {
  countState,
  QUERYABLE,
  type QueryableName,
  queryState,
  type StateQuery,
} from '../../../store/queries/state-query.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Nullable, only, PageQuery, Time } from '../schemas.ts'

const Value = Nullable(Type.Union([Type.String({ maxLength: 1000 }), Type.Number(), Type.Boolean()]))
const NAMES = Object.keys(QUERYABLE) as QueryableName[]

export const queryRuntime = route({
  operation: 'queryState',
  method: 'POST',
  path: '/api/v1/runtime/query',
  tag: 'runtime',
  access: 'read',
  summary: 'Ask a structured question about the state',
  description: `Each field of \`where\` has to be one of the values. With \`count_by\` the answer counts rows by that field instead of listing them. ${NAMES.map((name) => `\`${name}\`: ${QUERYABLE[name].fields.join(', ')}`).join('; ')}.`,
  idempotency: false,
  body: only(
    {
      from: Type.Enum(NAMES),
      where: Type.Optional(
        Type.Record(
          Type.String({ maxLength: 63 }),
          Type.Union([Value, Type.Array(Value, { minItems: 1, maxItems: 100 })]),
          { maxProperties: 20, description: 'field → value, or values of which it is one' },
        ),
      ),
      since: Type.Optional(Time),
      until: Type.Optional(Time),
      count_by: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
      limit: PageQuery.limit,
      cursor: PageQuery.cursor,
    },
    { title: 'StateQuery' },
  ),
  answers: {
    200: Type.Object(
      {
        from: Type.String(),
        items: Type.Array(JsonMap),
        next_cursor: Nullable(Type.String()),
        correlation_id: Type.String(),
      },
      { title: 'StateAnswer' },
    ),
  },
  example: {
    body: {
      from: 'runs',
      where: { status: ['failed', 'cancelled'], namespace: 'default' },
      count_by: 'blueprint',
      limit: 10,
    },
    answer: {
      from: 'runs',
      items: [{ value: 'checkmk-auto-remediate', count: 2 }],
      next_cursor: null,
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ body, correlationId }, { store: { reader } }) {
    const { from, count_by: by, limit } = body
    const { fields, id }: { readonly fields: readonly string[]; readonly id: string } = QUERYABLE[from]
    const known = (field: string, path: string) => {
      if (fields.includes(field)) return field
      const message = `${from} have no field "${field}", only ${fields.join(', ')}`
      throw fail('SW_VALIDATION_FAILED', message, { details: { violations: [{ path, message }] } })
    }
    const where = Object.entries(body.where ?? {}).map(([field, value]) => {
      const values = Array.isArray(value) ? value : [value]
      return [known(field, `body/where/${field}`), values.map((each) => (each === null ? null : String(each)))]
    })
    const query: StateQuery = {
      from,
      where: Object.fromEntries(where),
      since: body.since === undefined ? null : new Date(body.since),
      until: body.until === undefined ? null : new Date(body.until),
    }
    if (by !== undefined) {
      const items = await countState(reader, { ...query, by: known(by, 'body/count_by'), limit })
      return { from, items: [...items], next_cursor: null, correlation_id: correlationId }
    }
    const position = body.cursor === undefined ? null : decodeCursor(body.cursor, ['time', 'uuid'])
    const after = position === null ? null : { createdAt: position[0], id: position[1] }
    const rows = await queryState(reader, { ...query, after, limit: limit + 1 })
    return { from, ...pageBody(rows, { limit, correlationId }, (row) => [row.created_at, String(row[id])], plain) }
  },
})

/** Times as the API writes them. */
function plain(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof Date ? value.toISOString() : value]),
  )
}
