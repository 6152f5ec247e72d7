import type { Route } from '../../http/route.ts'
import { ackMessage } from './ack-message.ts'
import { listDeadMessages, redeliverMessage } from './dead-messages.ts'
import { listThreads } from './list-threads.ts'
import { pollMessages } from './poll-messages.ts'
import { readMessage } from './read-message.ts'
import { searchMessages } from './search-messages.ts'
import { sendMessage } from './send-message.ts'

/** Messages between agents and people: durable, handed out until they are acknowledged, and searchable. */
export const MESSAGE_ROUTES: readonly Route[] = [
  sendMessage,
  pollMessages,
  ackMessage,
  searchMessages,
  listThreads,
  readMessage,
  listDeadMessages,
  redeliverMessage,
]
