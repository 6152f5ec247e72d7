import Type, { type TObject, type TOptional, type TProperties, type TSchema, type TUnsafe } from 'typebox'
import { DURATION_PATTERN } from '../lib/duration.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { SECRET_PATH_PATTERN } from './secret-ref.ts'
import { type DurationLimits, KEYWORDS } from './vocabulary.ts'

/** The parts all kinds are made of. Every one is bounded, so that a CRD rule over it has a bounded cost. */

/** A DNS-1123 label: namespaces, host names of one word. */
export const LABEL_PATTERN = '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'
/** A DNS-1123 subdomain: names of objects. */
export const NAME_PATTERN = '^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$'
export const NAME_HINT =
  "use lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit, at most 63 characters"
/** What CEL can name without quoting: ids of steps, names of inputs and outputs. */
export const IDENTIFIER_PATTERN = '^[a-z][a-z0-9_]{0,62}$'
export const IDENTIFIER_HINT =
  "use lower-case letters, digits and '_', beginning with a letter (a '-' would be a minus in an expression)"
/** A path of the state repo: relative, `/` between its parts, no part `.` or `..`. */
export const PATH_PATTERN = '^\\.?[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*(/\\.?[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)*$'
/** The same with wildcards: `docs/**`. */
export const GLOB_PATTERN =
  '^\\.?[A-Za-z0-9_@+*?{},-][A-Za-z0-9._@+*?{},-]*(/\\.?[A-Za-z0-9_@+*?{},-][A-Za-z0-9._@+*?{},-]*)*$'
/** A kind: `Agent`. */
const KIND_PATTERN = '^[A-Z][A-Za-z0-9]*$'

interface Text {
  readonly description: string
  readonly maxLength?: number
  readonly minLength?: number
  readonly pattern?: string
  readonly default?: string
  readonly hint?: string
}

/** A string; 253 characters unless told otherwise. */
export function text({ hint, ...options }: Text) {
  return Type.String({ maxLength: 253, ...options, ...(hint === undefined ? {} : { [KEYWORDS.hint]: hint }) })
}

export function flag(options: { readonly description: string; readonly default?: boolean }) {
  return Type.Boolean(options)
}

export function integer(options: {
  readonly description: string
  readonly minimum: number
  readonly maximum: number
  readonly default?: number
}) {
  return Type.Integer(options)
}

export function number(options: {
  readonly description: string
  readonly minimum: number
  readonly maximum: number
  readonly default?: number
}) {
  return Type.Number(options)
}

/** One of some words. */
export function choice<const T extends string>(
  values: readonly T[],
  options: { readonly description: string; readonly default?: T },
): TUnsafe<T> {
  return Type.Unsafe<T>({ type: 'string', enum: [...values], ...options })
}

/** A list; `unique: 'set'` refuses an item twice, a list of key fields refuses two items that agree in them. */
export function list<T extends TSchema>(
  items: T,
  options: {
    readonly description: string
    readonly maxItems: number
    readonly minItems?: number
    readonly unique?: 'set' | readonly string[]
    readonly default?: readonly unknown[]
  },
) {
  const { unique, ...rest } = options
  if (unique === undefined) return Type.Array(items, { ...rest, [KEYWORDS.listType]: 'atomic' })
  if (unique === 'set') return Type.Array(items, { ...rest, [KEYWORDS.listType]: 'set' })
  return Type.Array(items, { ...rest, [KEYWORDS.listType]: 'map', [KEYWORDS.listMapKeys]: [...unique] })
}

/** An object that takes its fields and no other. */
export function object<P extends TProperties>(
  properties: P,
  options: { readonly description: string } & Readonly<Record<string, unknown>>,
): TObject<P> {
  return Type.Object(properties, { additionalProperties: false, ...options })
}

/** A map of strings. */
export function stringMap(options: {
  readonly description: string
  readonly maxProperties: number
  readonly maxLength: number
}): TUnsafe<Record<string, string>> {
  const { maxLength, ...rest } = options
  return Type.Unsafe<Record<string, string>>({
    type: 'object',
    additionalProperties: { type: 'string', maxLength },
    ...rest,
  })
}

/** Numbers of things by name. */
export function countMap(options: {
  readonly description: string
  readonly maxProperties: number
}): TUnsafe<Record<string, number>> {
  return Type.Unsafe<Record<string, number>>({
    type: 'object',
    additionalProperties: { type: 'integer', minimum: 0 },
    ...options,
  })
}

/** An object of any content: parameters, JSON Schemas, patches. */
export function anyObject(options: { readonly description: string }): TUnsafe<JsonObject> {
  return Type.Unsafe<JsonObject>({ type: 'object', [KEYWORDS.anyJson]: true, ...options })
}

export function anyValue(options: { readonly description: string }): TUnsafe<Json> {
  return Type.Unsafe<Json>({ [KEYWORDS.anyJson]: true, ...options })
}

/** A duration text (`30s`, `1h30m`) within limits. */
export function duration(options: { readonly description: string; readonly default?: string } & DurationLimits) {
  const { min, max, ...rest } = options
  return Type.String({
    maxLength: 32,
    pattern: DURATION_PATTERN,
    [KEYWORDS.hint]: 'write a number and a unit of ms, s, m, h or d, for example 30s, 5m, 1h30m',
    [KEYWORDS.duration]: { min, max } satisfies DurationLimits,
    ...rest,
  })
}

/** US dollars: a number or a decimal text, at most nine decimals (Kubernetes keeps both). */
export function usd(options: { readonly description: string }): TUnsafe<number | string> {
  return Type.Unsafe<number | string>({
    anyOf: [
      { type: 'number', minimum: 0, maximum: 1e9 },
      { type: 'string', pattern: '^[0-9]{1,10}(\\.[0-9]{1,9})?$', maxLength: 20 },
    ],
    [KEYWORDS.anyJson]: true,
    [KEYWORDS.hint]: 'write an amount such as 25 or "0.000150": not negative, at most 9 decimals',
    ...options,
  })
}

/** A time in UTC, as status fields have it. */
export function time(description: string) {
  return Type.String({ description, format: 'date-time', maxLength: 64 })
}

/** The name of an object. */
export function objectName(description: string) {
  return text({ description, minLength: 1, maxLength: 63, pattern: NAME_PATTERN, hint: NAME_HINT })
}

/** Names an object of one kind, in the own namespace unless that kind has none. */
export function localRef(description: string) {
  return object({ name: objectName('Name of the object.') }, { description })
}

/** Names a secret: `{name, key}`, or by its path. */
export function secretRef(description: string) {
  return object(
    optionalAll({
      name: text({
        description: 'Name of the secret; with key.',
        minLength: 1,
        maxLength: 63,
        pattern: NAME_PATTERN,
        hint: NAME_HINT,
      }),
      key: text({
        description: 'Key in the secret.',
        minLength: 1,
        maxLength: 63,
        pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$',
        hint: "use letters, digits, '-', '_' and '.'",
      }),
      path: text({
        description: 'Path of the secret instead: sys/<environment>/providers/<provider>, team/<team>/<name> …',
        minLength: 1,
        maxLength: 253,
        pattern: SECRET_PATH_PATTERN,
        hint: 'begin with sys/<environment>/ or team/<team>/',
      }),
    }),
    {
      description,
      [KEYWORDS.exactlyOne]: ['name', 'path'],
      [KEYWORDS.rules]: [
        {
          rule: 'has(self.name) == has(self.key)',
          message: 'name and key go together',
          hint: 'write {name: …, key: …}, or {path: …}',
        },
      ],
    },
  )
}

/** A program's argument vector: words, never a shell text. */
export function argv(description: string) {
  return list(text({ description: 'One word; words are passed as they are, without a shell.', maxLength: 4096 }), {
    description,
    minItems: 1,
    maxItems: 100,
  })
}

/** Environment variables: a value, or a secret read at start and never stored. */
export function environmentVariables(description: string) {
  return list(
    object(
      {
        name: text({
          description: 'Name of the variable. Names beginning with STATEWARD_ are set by Stateward.',
          minLength: 1,
          maxLength: 128,
          pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
          hint: "use letters, digits and '_', not beginning with a digit",
        }),
        value: Type.Optional(text({ description: 'The value, in plain sight: never a secret.', maxLength: 32_768 })),
        secretRef: Type.Optional(secretRef('The secret that holds the value.')),
      },
      {
        description: 'One variable: its name and either a value or a secret.',
        [KEYWORDS.exactlyOne]: ['value', 'secretRef'],
        [KEYWORDS.rules]: [
          {
            rule: "!self.name.startsWith('STATEWARD_')",
            message: 'names beginning with STATEWARD_ are set by Stateward itself',
            hint: 'use another name',
          },
        ],
      },
    ),
    { description, maxItems: 100, unique: ['name'] },
  )
}

/** What every kind's spec takes. */
export const commonFields = {
  suspend: flag({
    description: 'While true, Stateward leaves the object as it is: nothing is started, changed or corrected for it.',
    default: false,
  }),
  suspendUntil: text({
    description: 'Suspended until then, by itself: a time with its offset, for example 2026-12-24T18:00:00Z.',
    minLength: 17,
    maxLength: 35,
    pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,9})?)?(Z|[+-]\\d{2}:\\d{2})$',
    hint: 'write a time with its offset, for example 2026-12-24T18:00:00Z',
  }),
  dependsOn: list(
    object(
      {
        kind: text({
          description: 'Kind of the object, for example Agent.',
          minLength: 1,
          maxLength: 63,
          pattern: KIND_PATTERN,
          hint: 'write a kind as in manifests, for example Agent',
        }),
        name: objectName('Name of the object.'),
      },
      { description: 'One object, of the own namespace unless its kind has none.' },
    ),
    {
      description: 'Objects that have to be Ready before this one is acted on.',
      maxItems: 50,
      unique: ['kind', 'name'],
    },
  ),
  deletionPolicy: choice(['Delete', 'Orphan', 'WaitForTermination'], {
    description:
      'What happens to what the object started when its document is removed: Delete stops it, Orphan leaves it alone, WaitForTermination waits until it ended by itself. A kind that starts nothing is removed at once.',
    default: 'Delete',
  }),
}

/** All fields made optional: how a spec is written, before templates and defaults fill it. */
export function optionalAll<P extends TProperties>(properties: P): { [K in keyof P]: TOptional<P[K]> } {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, Type.Optional(schema)])) as {
    [K in keyof P]: TOptional<P[K]>
  }
}
