import type { JsonObject } from '../../lib/json.ts'
import type { WireFormat, WireStream } from '../../models/wire/question.ts'
import type { Caller } from '../caller.ts'

/** A request of a client of OpenAI's or Anthropic's API. */
export interface WireAsk {
  readonly format: WireFormat
  readonly body: JsonObject
  /** With the `?`, or empty. */
  readonly query: string
  /** Those that say how the body is to be read. */
  readonly headers: Readonly<Record<string, string>>
  /** Null = the answer is wanted whole. */
  readonly stream: WireStream | null
  readonly namespace: string
  /** The instance that asks; null = no agent. */
  readonly instance: { readonly id: string; readonly agent: string } | null
  readonly signal: AbortSignal
}

export type WireOutcome =
  | { readonly kind: 'whole'; readonly body: JsonObject }
  | { readonly kind: 'streamed' }
  /** What the provider said is wrong with the request, word for word: clients act on it. */
  | { readonly kind: 'refused'; readonly status: number; readonly body: string }

/** Models for programs that speak the wire formats of providers. */
export interface ModelWire {
  /** Routed, limited, paid and recorded as any other call. What it throws is of the catalogue. */
  ask(ask: WireAsk, caller: Caller): Promise<WireOutcome>
  /** About how many tokens a prompt has; rather too many. */
  countTokens(format: WireFormat, body: JsonObject): number
  /** Names by which models may be asked for: `provider/model`. */
  models(): readonly { readonly name: string; readonly provider: string }[]
}
