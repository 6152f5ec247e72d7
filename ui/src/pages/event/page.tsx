import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Link } from '../../components/link.tsx'
import { Card, PageFrame } from '../../components/page.tsx'
import { Loaded } from '../../components/states.tsx'
import type { PageProps } from '../../page-props.ts'
import { EventDetail } from './event-detail.tsx'

/** One event of the log. */
export function Page({ params }: PageProps): ReactNode {
  const event = useRead('/api/v1/events/{event_id}', { path: { event_id: params['event'] ?? '' } })
  return (
    <PageFrame title={event.data?.event_name ?? 'Event'} crumbs={<Link href="/events">Events</Link>}>
      <Loaded of={event} lines={12}>
        {(found) => (
          <Card title="What happened">
            <EventDetail event={found} />
          </Card>
        )}
      </Loaded>
    </PageFrame>
  )
}
