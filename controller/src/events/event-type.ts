import Type, { type TObject, type TProperties, type TSchema } from 'typebox'

/** What an event of ours says: what happened, and the shape of its `data`. */
export interface EventType {
  /** One sentence, in the past. */
  readonly description: string
  /** JSON Schema of `data`; members that it does not name are not allowed. */
  readonly data: TObject
}

export function eventType(description: string, data: TProperties): EventType {
  return { description, data: Type.Object(data, { additionalProperties: false }) }
}

export const Text = Type.String()
export const Count = Type.Integer({ minimum: 0 })
export const Id = Type.String({ format: 'uuid' })
export const Instant = Type.String({ format: 'date-time', description: 'UTC, ISO 8601 with milliseconds' })
const Digest = Type.String({ description: 'sha256 in lower-case hex' })
export const AnyMap = Type.Record(Type.String(), Type.Unknown())
export const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** A value of at most 32 KiB as it is; of a larger one the artifact that holds it, its digest and size. */
export function carriedValue<Name extends string>(name: Name) {
  return {
    [name]: Type.Optional(Type.Unknown({ description: 'absent when it is larger than 32 KiB' })),
    [`${name}_artifact`]: Type.Optional(Type.String({ format: 'uuid', description: 'the artifact that holds it' })),
    [`${name}_digest`]: Type.Optional(Digest),
    [`${name}_bytes`]: Type.Optional(Count),
  }
}
