import { assertNever } from '../../lib/assert-never.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Prompt } from '../request.ts'
import type { WireFormat } from './question.ts'
import { readChat } from './read-chat.ts'
import { readMessages } from './read-messages.ts'
import { readResponses } from './read-responses.ts'

/** A question of one of the formats as every provider can be asked it. */
export interface ReadQuestion extends Prompt {
  /** Parts that have no words in other formats: pictures, tools with a grammar of their own. */
  readonly untold: readonly string[]
}

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
