import type { Json, JsonObject } from '../lib/json.ts'

/** What the variable `event` holds (or null, when no event started the run). */
export interface EventValue {
  readonly id: string
  readonly name: string
  /** UTC, ISO 8601 with milliseconds. */
  readonly time: string
  readonly actor: string
  readonly resource: { readonly type: string; readonly id: string } | null
  readonly data: { readonly [key: string]: Json }
}

/** What `steps.<id>` holds. `output` is null until the step has completed and when it was skipped. */
export interface StepValue {
  readonly status: 'created' | 'running' | 'completed' | 'failed' | 'skipped'
  readonly output: Json
  readonly error: Json
}

export interface RunValue {
  readonly id: string
  readonly name: string
  readonly namespace: string
  readonly blueprint: string
  readonly revision: string
  readonly actor: string
}

export interface EnvValue {
  readonly id: string
  readonly stage: string
  readonly autonomy: string
  /** `control` or `product`. */
  readonly class: string
}

/** What `error` holds in `retryIf`: how an attempt failed. */
export interface ErrorValue {
  readonly code: string
  readonly category: string
  readonly message: string
  /** It says of itself that another attempt may succeed. */
  readonly retryable: boolean
  /** What it came from, in the same shape; null = it is the root. */
  readonly cause: ErrorValue | null
}

/** The variables of an expression. Every declared step and input has to be there; what is absent fails as an unknown variable. */
export interface ExpressionValues {
  readonly inputs?: Readonly<JsonObject>
  readonly steps?: Readonly<Record<string, StepValue>>
  readonly event?: EventValue | null
  readonly run?: RunValue
  readonly env?: EnvValue
  readonly error?: ErrorValue
  /** What the steps of the run have set, by key. */
  readonly blackboard?: Readonly<Record<string, Json>>
  /** Variables of a loop by name. */
  readonly variables?: Readonly<Record<string, Json | bigint>>
}

export const EVENT_FIELDS = ['id', 'name', 'time', 'actor', 'resource', 'data'] as const satisfies (keyof EventValue)[]
export const STEP_FIELDS = ['output', 'status', 'error'] as const satisfies (keyof StepValue)[]
export const RUN_FIELDS = [
  'id',
  'name',
  'namespace',
  'blueprint',
  'revision',
  'actor',
] as const satisfies (keyof RunValue)[]
export const ENV_FIELDS = ['id', 'stage', 'autonomy', 'class'] as const satisfies (keyof EnvValue)[]

export const ERROR_FIELDS = [
  'code',
  'category',
  'message',
  'retryable',
  'cause',
] as const satisfies (keyof ErrorValue)[]

/** `event` of a logged event. */
export function toEventValue(event: {
  readonly event_id: string
  readonly event_name: string
  readonly occurred_at: string
  readonly actor: string
  readonly resource: { readonly type: string; readonly id: string } | null
  readonly data: { readonly [key: string]: Json }
}): EventValue {
  return {
    id: event.event_id,
    name: event.event_name,
    time: event.occurred_at,
    actor: event.actor,
    resource: event.resource,
    data: event.data,
  }
}

/** Names that have a meaning in every expression, and words of CEL: no variable of a loop may take one. */
export const RESERVED_VARIABLES: readonly string[] = [
  ...['inputs', 'steps', 'event', 'run', 'env', 'error', 'blackboard', 'index'],
  ...['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import'],
  ...['let', 'loop', 'namespace', 'package', 'return', 'var', 'void', 'while'],
  ...[
    'bool',
    'bytes',
    'double',
    'duration',
    'dyn',
    'int',
    'list',
    'map',
    'optional',
    'string',
    'timestamp',
    'type',
    'uint',
  ],
]
