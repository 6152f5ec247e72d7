import { assertNever } from '../../lib/assert-never.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { ReadQuestion } from './conversation.ts'
import type { WireFormat } from './question.ts'
import { readChat } from './read-chat.ts'
import { readMessages } from './read-messages.ts'
import { readResponses } from './read-responses.ts'

/** Never throws: what is not understood is in `untold`. Pure. */
export function readQuestion(format: WireFormat, body: JsonObject): ReadQuestion {
  switch (format) {
    case 'messages':
      return readMessages(body)
    case 'chat':
      return readChat(body)
    case 'responses':
      return readResponses(body)
    default:
      return assertNever(format)
  }
}
