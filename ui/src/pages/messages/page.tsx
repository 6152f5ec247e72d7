import { Mail, MessagesSquare } from 'lucide-react'
import type { ReactNode } from 'react'
import { ReadError } from '../../api/get.ts'
import type { MessageThread } from '../../api/reads.ts'
import { useReadList } from '../../api/use-read.ts'
import { Button } from '../../components/button.tsx'
import { Command } from '../../components/command.tsx'
import { FilterBar, SearchField, useFilters } from '../../components/filters.tsx'
import { Link } from '../../components/link.tsx'
import { PageFrame } from '../../components/page.tsx'
import { Empty, Failure, Loaded } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import type { PageProps } from '../../page-props.ts'
import { classNames } from '../../text/class-names.ts'
import { Conversation } from './conversation.tsx'
import styles from './messages.module.css'
import { receiverText } from './receiver.ts'

/** What agents and people wrote to each other: threads, and one of them in full. */
export function Page({ params }: PageProps): ReactNode {
  const [filters, setFilter] = useFilters('q', 'agent', 'topic')
  const threads = useReadList('/api/v1/messages/threads', {
    query: { limit: 50, q: filters.q, agent: filters.agent, topic: filters.topic },
  })
  const open = params['thread']
  const isRefused = threads.error instanceof ReadError && [401, 403].includes(threads.error.status)
  return (
    <PageFrame
      title="Messages"
      tab={open === undefined ? 'Messages' : 'Thread'}
      lead="Durable, handed out until they are acknowledged. What is written here is in no event and no commit."
    >
      {isRefused ? (
        <Refused error={threads.error} />
      ) : (
        <>
          <FilterBar>
            <SearchField
              label='Words, "a phrase", -without'
              value={filters.q}
              onChange={(value) => setFilter('q', value)}
              testId="messages-search"
            />
            <SearchField
              label="Agent"
              value={filters.agent}
              onChange={(value) => setFilter('agent', value)}
              testId="messages-agent"
            />
            <SearchField
              label="Topic"
              value={filters.topic}
              onChange={(value) => setFilter('topic', value)}
              testId="messages-topic"
            />
          </FilterBar>
          <div className={classNames(styles['columns'], open !== undefined && styles['hasOpen'])}>
            <section className={styles['threads']} aria-label="Threads" data-testid="threads">
              <Loaded of={threads} lines={8}>
                {(items: readonly MessageThread[]) =>
                  items.length === 0 ? (
                    <NoThreads isFiltered={filters.q + filters.agent + filters.topic !== ''} />
                  ) : (
                    <>
                      <ul>
                        {items.map((thread) => (
                          <ThreadItem key={thread.thread_id} thread={thread} isOpen={thread.thread_id === open} />
                        ))}
                      </ul>
                      {threads.hasNextPage ? (
                        <div className={styles['more']}>
                          <Button onClick={() => void threads.fetchNextPage()} testId="threads-more">
                            Older ones
                          </Button>
                        </div>
                      ) : null}
                    </>
                  )
                }
              </Loaded>
            </section>
            <section className={styles['conversation']} aria-label="Conversation">
              {open === undefined ? (
                <Empty title="No thread is chosen" icon={MessagesSquare}>
                  Choose one to read it. Its address can be sent to somebody.
                </Empty>
              ) : (
                <Conversation key={open} threadId={open} />
              )}
            </section>
          </div>
        </>
      )}
    </PageFrame>
  )
}

function ThreadItem({ thread, isOpen }: { readonly thread: MessageThread; readonly isOpen: boolean }): ReactNode {
  const { last } = thread
  const search = location.search
  return (
    <li>
      <Link
        href={`/messages/${thread.thread_id}${search}`}
        className={classNames(styles['thread'], isOpen && styles['isOpen'])}
        aria-current={isOpen ? 'true' : undefined}
        data-testid="thread"
      >
        <span className={styles['threadHead']}>
          <strong className={styles['subject']}>{thread.subject ?? last.body}</strong>
          <span className="faint">
            <Time at={last.sent_at} />
          </span>
        </span>
        <span className={styles['snippet']}>
          {nameOf(last.from)} → {receiverText(last.to)}: {last.body}
        </span>
        <span className="faint">
          {thread.messages} {thread.messages === 1 ? 'message' : 'messages'} by {thread.speakers.map(nameOf).join(', ')}
        </span>
      </Link>
    </li>
  )
}

/** `agent:default/sre` as `sre`. */
function nameOf(speaker: string): string {
  return speaker.replace(/^(?:agent:(?:default\/)?|user:|key:)/, '')
}

function NoThreads({ isFiltered }: { readonly isFiltered: boolean }): ReactNode {
  if (isFiltered)
    return <Empty title="Nothing was written like that">Words are whole: “disk” does not find “disks”.</Empty>
  return (
    <Empty title="Nobody has written anything" icon={Mail}>
      <Command
        label="Write to an agent"
        command={'stateward send sre "Please look at nginx on web-1"'}
        testId="messages-send"
      />
    </Empty>
  )
}

/** Viewers see that messages were sent, in the events; what they say is for those who may read them. */
function Refused({ error }: { readonly error: unknown }): ReactNode {
  return (
    <div className={styles['refused']}>
      <Failure error={error} />
      <Command label="Open this page as yourself" command="stateward ui" testId="messages-sign-in" />
      <Command label="Or read them in a terminal" command="stateward messages" testId="messages-cli" />
    </div>
  )
}
