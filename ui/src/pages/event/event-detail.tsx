import type { ReactNode } from 'react'
import type { Event } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { Link } from '../../components/link.tsx'
import { Facts } from '../../components/page.tsx'
import { Status } from '../../components/status.tsx'
import { JsonBlock } from '../../components/text-block.tsx'
import { Time } from '../../components/time.tsx'
import { whole } from '../../text/numbers.ts'
import { isFailure } from '../events/event-words.ts'
import { resourceHref } from '../resources/resource-href.ts'
import { RunLines } from '../runs/run-lines.tsx'
import styles from './event.module.css'

/** One event: what it says, and where it leads. */
export function EventDetail({
  event,
  isBeside = false,
}: {
  readonly event: Event
  readonly isBeside?: boolean
}): ReactNode {
  const runs = useRead('/api/v1/runs', { query: { event_id: event.event_id, values: false, limit: 20 } })
  const object = objectHref(event)
  return (
    <div className={styles['detail']}>
      {isBeside ? (
        <h2 className={styles['title']}>
          <Link href={`/events/${event.event_id}`}>{event.event_name}</Link>
        </h2>
      ) : null}
      {isFailure(event) ? <Status value="failure" tone="bad" /> : null}
      <Facts
        of={[
          ['When', <Time at={event.occurred_at} absolute key="w" />],
          [
            'Number',
            <Link href={`/events?at=${event.seq}`} key="n" data-testid="event-in-log">
              {whole(event.seq)} in the log
            </Link>,
          ],
          [
            'By',
            <Link href={`/events?actor=${encodeURIComponent(event.actor)}`} key="a">
              {event.actor}
            </Link>,
          ],
          ...(event.run_id === null
            ? []
            : ([
                [
                  'Run',
                  <Link href={`/runs/${event.run_id}`} key="r" data-testid="event-run">
                    {textOf(event.data['run']) ?? event.run_id.slice(0, 13)}
                  </Link>,
                ],
              ] as const)),
          ...(event.run_id === null || textOf(event.data['path']) === null
            ? []
            : ([
                [
                  'Step',
                  <Link href={`/runs/${event.run_id}/steps/${encodeURIComponent(String(event.data['path']))}`} key="s">
                    {String(event.data['path'])}
                  </Link>,
                ],
              ] as const)),
          ...(event.resource === null
            ? []
            : ([
                [
                  event.resource.type,
                  object === null ? (
                    <Link
                      href={`/events?type=${encodeURIComponent(event.resource.type)}&resource=${encodeURIComponent(event.resource.id)}`}
                      key="o"
                    >
                      {event.resource.id}
                    </Link>
                  ) : (
                    <Link href={object.href} key="o" data-testid="event-object">
                      {object.name}
                    </Link>
                  ),
                ],
              ] as const)),
          [
            'Cause',
            <Link
              href={`/events?correlation=${encodeURIComponent(event.correlation_id)}`}
              key="c"
              data-testid="event-cause"
            >
              everything that followed from it
            </Link>,
          ],
          ['Environment', event.env_id],
          ['Id', <code key="i">{event.event_id}</code>],
        ]}
      />
      {(runs.data?.items ?? []).length === 0 ? null : (
        <div>
          <h3 className={styles['sub']}>Runs it started</h3>
          <div className={styles['runs']}>
            <RunLines runs={runs.data?.items ?? []} testId="event-run-started" />
          </div>
        </div>
      )}
      <div>
        <h3 className={styles['sub']}>Data</h3>
        <JsonBlock value={event.data} label="Data" testId="event-data" />
      </div>
    </div>
  )
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** The page of the object an event is about, where the event says its name. */
function objectHref({
  event_name: name,
  resource,
  data,
}: Event): { readonly href: string; readonly name: string } | null {
  const of = textOf(data['name'])
  if (resource === null || of === null || !name.startsWith('stateward.object.')) return null
  const namespace = textOf(data['namespace'])
  return {
    href: resourceHref({ kind: resource.type, namespace: namespace ?? '', name: of }),
    name: of,
  }
}
