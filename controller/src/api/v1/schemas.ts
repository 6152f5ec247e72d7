import Type, { type Static, type TObject, type TObjectOptions, type TProperties } from 'typebox'

/** Parts that several routes share. Times are UTC, ISO 8601 with milliseconds; ids are UUIDs. */
export const Uuid = Type.String({ format: 'uuid' })
export const Time = Type.String({ format: 'date-time', description: 'UTC, ISO 8601 with milliseconds' })
export const JsonMap = Type.Record(Type.String(), Type.Unknown())
export const Name = Type.String({
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
  description: 'DNS-1123 subdomain, at most 63 characters',
})
/** A name, a whole id, or the beginning of one (at least 4 characters). */
export const Reference = Type.String({ minLength: 1, maxLength: 253 })
/** At most four wildcards: more would let one question keep the database busy. */
export const EventNameGlob = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^([^*]*\\*){0,4}[^*]*$',
  description: 'exact, or with up to four * as wildcards: checkmk.*',
})
export const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])

export const PageQuery = {
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 50 }),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'next_cursor of the page before' })),
}
export const NamespaceQuery = { namespace: Type.Optional(Name) }

/** `next_cursor` is null on the last page. */
export const pageOf = <T extends Type.TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), next_cursor: Nullable(Type.String()), correlation_id: Type.String() })

/** An object that may have these members and no other. */
export const only = <T extends TProperties>(properties: T, options: TObjectOptions = {}) =>
  Type.Object(properties, { ...options, additionalProperties: false })

/** What a route sends that is not JSON. */
export const media = (type: string, description: string) => Type.String({ description, 'x-media-type': type })

/** A body that may be left out; the validator lets none pass. */
export const optionalBody = <T extends TProperties>(properties: T) =>
  Type.Unsafe<Static<TObject<T>> | undefined>({
    ...Type.Object(properties, { additionalProperties: false }),
    'x-optional-body': true,
  })
