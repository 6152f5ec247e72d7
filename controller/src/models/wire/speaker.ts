import { assertNever } from '../../lib/assert-never.ts'
import type { WireFormat } from './question.ts'
import type { Said, WireSpeaker } from './wire-speaker.ts'
import { chatSpeaker } from './write-chat.ts'
import { messagesSpeaker } from './write-messages.ts'
import { responsesSpeaker } from './write-responses.ts'

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
