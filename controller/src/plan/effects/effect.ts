import type { ObjectRef } from '../../kinds/resource.ts'
import type { Json, JsonObject } from '../../lib/json.ts'

/** How much harm a change can do, from little to much. */
export const RISKS = ['low', 'medium', 'high'] as const
export type Risk = (typeof RISKS)[number]

/** What a change does, in one word for programs; the message says it for people. */
export const EFFECTS = [
  'stops',
  'starts',
  'restarts',
  'program',
  'scale',
  'suspension',
  'hosts',
  'secrets',
  'tools',
  'agents',
  'domains',
  'gates',
  'triggers',
  'limits',
  'capacity',
  'policy',
  'budget',
  'stage',
  'trust',
  'decision',
  'model',
  'prompt',
  'proposals',
] as const

/** One thing that becomes different in the world, not in a file. */
export interface Finding {
  readonly effect: (typeof EFFECTS)[number]
  readonly risk: Risk
  readonly message: string
  /** What can be reached or done afterwards and could not before. */
  readonly gained?: readonly string[]
  /** The opposite. */
  readonly lost?: readonly string[]
}

export type Effect = ObjectRef & Finding

/** An object before and after, as it takes effect: template, environment and defaults merged. Null = there is none. */
export interface Sides {
  readonly before: JsonObject | null
  readonly after: JsonObject | null
  readonly namespace: string
  /** Its files in the state repo changed. */
  readonly filesChanged: boolean
}

/** What else is declared, before and after. */
export interface Around {
  /** Names of the hosts whose labels fit. */
  readonly hosts: (side: 'before' | 'after', selector: Json | undefined) => readonly string[]
  /** By name or alias; `high` for a tool that nobody declares. */
  readonly toolRisk: (side: 'before' | 'after', name: string, namespace: string) => Risk
}

/** Tells what becomes different when an object of one kind does. Pure. */
export type EffectReader = (sides: Sides, around: Around) => readonly Finding[]

export function worst(risks: Iterable<Risk>): Risk {
  return RISKS[Math.max(0, ...[...risks].map((risk) => RISKS.indexOf(risk)))]!
}

/** What one list has that the other lacks, sorted, each once; null when they hold the same. */
export function difference(
  before: readonly string[],
  after: readonly string[],
): { readonly gained: string[]; readonly lost: string[] } | null {
  const [was, is] = [new Set(before), new Set(after)]
  const gained = [...is].filter((one) => !was.has(one)).sort()
  const lost = [...was].filter((one) => !is.has(one)).sort()
  return gained.length + lost.length === 0 ? null : { gained, lost }
}

/** `reaches a, b; no longer c`. */
export function gainedText(
  verb: string,
  { gained, lost }: { gained: readonly string[]; lost: readonly string[] },
): string {
  const parts = [
    ...(gained.length === 0 ? [] : [`${verb} ${gained.join(', ')}`]),
    ...(lost.length === 0 ? [] : [`no longer ${verb} ${lost.join(', ')}`]),
  ]
  return parts.join('; ')
}
