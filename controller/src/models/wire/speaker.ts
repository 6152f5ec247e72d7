import { assertNever } from '../../lib/assert-never.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Answer } from '../request.ts'
import type { WireFormat } from './question.ts'
import { chatSpeaker } from './write-chat.ts'
import { messagesSpeaker } from './write-messages.ts'
import { responsesSpeaker } from './write-responses.ts'

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

/** Of one answer: it counts the parts. */
export function wireSpeaker(format: WireFormat, said: Said): WireSpeaker {
  switch (format) {
    case 'messages':
      return messagesSpeaker(said)
    case 'chat':
      return chatSpeaker(said)
    case 'responses':
      return responsesSpeaker(said)
    default:
      return assertNever(format)
  }
}
