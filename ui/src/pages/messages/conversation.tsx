import { ArrowLeft, Paperclip } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Message } from '../../api/reads.ts'
import { useRead, useReadList } from '../../api/use-read.ts'
import { Button } from '../../components/button.tsx'
import { Command } from '../../components/command.tsx'
import { Link } from '../../components/link.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { JsonBlock, TextBlock } from '../../components/text-block.tsx'
import { Time } from '../../components/time.tsx'
import { classNames } from '../../text/class-names.ts'
import { commandLine } from '../../text/shell.ts'
import styles from './messages.module.css'
import { receiverText } from './receiver.ts'

/** A thread, the oldest message first, with how each was delivered. */
export function Conversation({ threadId }: { readonly threadId: string }): ReactNode {
  const messages = useReadList('/api/v1/messages', { query: { thread_id: threadId, order: 'asc', limit: 100 } })
  return (
    <>
      <Link href={`/messages${location.search}`} className={styles['back']} data-testid="thread-back">
        <ArrowLeft size={15} aria-hidden /> All threads
      </Link>
      <Loaded of={messages} lines={8}>
        {(items: readonly Message[]) =>
          items.length === 0 ? (
            <Empty title="There is no such thread">
              Messages are kept for 30 days, longer while somebody has not acknowledged them.
            </Empty>
          ) : (
            <>
              <h2 className={styles['heading']}>{items[0]?.subject ?? 'Without a subject'}</h2>
              <ol className={styles['messages']} data-testid="thread-messages">
                {items.map((message) => (
                  <MessageItem key={message.message_id} message={message} />
                ))}
              </ol>
              {messages.hasNextPage ? (
                <Button onClick={() => void messages.fetchNextPage()} testId="messages-more">
                  Later ones
                </Button>
              ) : null}
              <Answer last={items.at(-1)} />
            </>
          )
        }
      </Loaded>
    </>
  )
}

function MessageItem({ message }: { readonly message: Message }): ReactNode {
  const isAgent = message.from.startsWith('agent:')
  return (
    <li
      className={classNames(styles['message'], isAgent ? styles['byAgent'] : styles['byPerson'])}
      id={`message-${message.message_id}`}
    >
      <header className={styles['messageHead']}>
        <strong>{message.from}</strong>
        <span className="faint">to {receiverText(message.to)}</span>
        {message.type === 'note' ? null : <Status value={message.type} tone="idle" look="plain" />}
        <span className={styles['spacer']} />
        <span className="faint">
          <Time at={message.sent_at} />
        </span>
      </header>
      <TextBlock text={message.body} label={`What ${message.from} wrote`} />
      {Object.keys(message.data).length === 0 ? null : (
        <JsonBlock value={message.data} label="Values beside the text" />
      )}
      {message.attachments.length === 0 ? null : (
        <ul className={styles['attachments']}>
          {message.attachments.map(({ artifact_id, name }) => (
            <li key={artifact_id}>
              <Paperclip size={14} aria-hidden />{' '}
              <Link href={`/artifacts/${artifact_id}`} data-testid="attachment">
                {name ?? artifact_id.slice(0, 13)}
              </Link>
            </li>
          ))}
        </ul>
      )}
      <Deliveries messageId={message.message_id} />
    </li>
  )
}

/** Who has it, and who has not taken it. */
function Deliveries({ messageId }: { readonly messageId: string }): ReactNode {
  const read = useRead('/api/v1/messages/{message}', { path: { message: messageId } })
  const deliveries = read.data?.deliveries ?? []
  return (
    <p className={styles['deliveries']}>
      {read.data === undefined ? ' ' : deliveries.length === 0 ? 'reached nobody yet' : null}
      {deliveries.map(({ agent, acked_at, dead_at, dead_reason, attempts }) => (
        <span key={agent} className={styles['delivery']}>
          <Status
            value={
              acked_at !== null
                ? 'acknowledged'
                : dead_at !== null
                  ? `given up: ${dead_reason ?? ''}`
                  : attempts === 0
                    ? 'waiting'
                    : 'handed out'
            }
            tone={acked_at !== null ? 'good' : dead_at !== null ? 'bad' : 'wait'}
            look="plain"
          />
          {agent}
          {attempts > 1 ? `, ${attempts} times` : ''}
        </span>
      ))}
    </p>
  )
}

function Answer({ last }: { readonly last: Message | undefined }): ReactNode {
  if (last === undefined) return null
  const to = last.from.startsWith('agent:')
    ? (last.from.split('/').at(-1) ?? '')
    : 'agent' in last.to
      ? last.to.agent
      : receiverText(last.to).replace(' ', '/')
  return (
    <Command
      label="Answer it, in a terminal"
      command={commandLine('stateward', 'send', to, 'your answer', '--reply-to', last.message_id)}
      testId="thread-answer"
    />
  )
}
