import type { JsonObject } from '../../lib/json.ts'
import type { Answer } from '../request.ts'

/** What an answer says of itself. */
export interface Said {
  /** Of the request; parts of the answer get theirs from it. */
  readonly id: string
  readonly model: string
  /** Seconds since 1970. */
  readonly at: number
}

/** Says in one of the formats what a model answered that was asked in another one. */
export interface WireSpeaker {
  /** What comes before the first word. */
  head(): string
  text(delta: string): string
  /** The calls of tools, and what an answer ends with. */
  end(answer: Answer): string
  /** All of it at once, for those that do not stream. */
  whole(answer: Answer): JsonObject
}
