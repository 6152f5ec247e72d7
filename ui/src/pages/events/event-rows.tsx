import { useVirtualizer } from '@tanstack/react-virtual'
import { TriangleAlert } from 'lucide-react'
import { type KeyboardEvent, memo, type ReactNode, type RefObject, useEffect, useId, useState } from 'react'
import type { Event } from '../../api/reads.ts'
import { Link } from '../../components/link.tsx'
import { rootScale } from '../../components/root-scale.ts'
import { bringInSight } from '../../components/rows-in-sight.ts'
import { useSettings } from '../../settings/settings.tsx'
import { classNames } from '../../text/class-names.ts'
import { whole } from '../../text/numbers.ts'
import { stamp } from '../../text/time.ts'
import { isFailure, summaryOf } from './event-words.ts'
import styles from './events.module.css'

const ROW_HEIGHT = 32
const OVERSCAN = 20

/**
 * Rows of the log, newest first, of which only those in sight are in the document: 100,000 scroll as ten do. A row that is not
 * read yet is a placeholder as high as any other.
 */
export function EventRows(props: {
  readonly scroller: RefObject<HTMLDivElement | null>
  readonly count: number
  readonly rowAt: (index: number) => Event | undefined
  /** Told which rows are in sight. */
  readonly onRange: (from: number, to: number) => void
  readonly onOpen: (event: Event) => void
  readonly selected: string
  /** Scrolled away from the newest. */
  readonly onAway: (isAway: boolean) => void
  readonly width: number
}): ReactNode {
  const { scroller, count, rowAt, onRange, onAway, width } = props
  const [active, setActive] = useState(-1)
  const id = useId()
  const { zone } = useSettings()
  const rowHeight = ROW_HEIGHT * rootScale()
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN,
  })
  const items = virtualizer.getVirtualItems()
  const [first, last] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0]
  useEffect(() => onRange(first, last), [onRange, first, last])
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return
    const page = Math.floor((scroller.current?.clientHeight ?? 400) / rowHeight) - 2
    const step = KEYS[event.key]?.(active, page, count)
    if (step !== undefined) {
      event.preventDefault()
      const next = Math.max(0, Math.min(count - 1, step))
      setActive(next)
      bringInSight(scroller.current, next, rowHeight)
    } else if (event.key === 'Enter') {
      const chosen = rowAt(active)
      if (chosen !== undefined) props.onOpen(chosen)
    }
  }
  return (
    <div
      ref={scroller}
      className={styles['scroller']}
      role="grid"
      tabIndex={0}
      aria-label="Events"
      aria-rowcount={count}
      aria-activedescendant={active >= first && active <= last ? `${id}-${active}` : undefined}
      onKeyDown={onKeyDown}
      onScroll={(event) => onAway(event.currentTarget.scrollTop > rowHeight)}
      data-testid="events"
    >
      <div className={styles['rows']} style={{ height: virtualizer.getTotalSize() }}>
        {items.map(({ index, start, key }) => {
          const event = rowAt(index)
          return (
            <div
              key={event?.event_id ?? key}
              id={`${id}-${index}`}
              role="row"
              aria-rowindex={index + 1}
              aria-selected={event !== undefined && props.selected === event.event_id}
              className={classNames(
                styles['row'],
                width >= 640 && styles['medium'],
                width >= 900 && styles['wide'],
                index === active && styles['active'],
                event !== undefined && isFailure(event) && styles['failure'],
              )}
              style={{ transform: `translateY(${start}px)`, height: rowHeight }}
              onClick={(click) => {
                setActive(index)
                if (event !== undefined && !(click.target as Element).closest('a')) props.onOpen(event)
              }}
              data-testid="events-row"
            >
              {event === undefined ? <Placeholder /> : <Cells event={event} width={width} zone={zone} />}
            </div>
          )
        })}
      </div>
    </div>
  )
}

const KEYS: Readonly<Record<string, (active: number, page: number, count: number) => number>> = {
  ArrowDown: (active) => active + 1,
  j: (active) => active + 1,
  ArrowUp: (active) => active - 1,
  k: (active) => active - 1,
  PageDown: (active, page) => active + page,
  PageUp: (active, page) => active - page,
  Home: () => 0,
  End: (_active, _page, count) => count - 1,
}

/** Made again only when the event is another one: scrolling moves rows, and changes none. */
const Cells = memo(function Cells({
  event,
  width,
  zone,
}: {
  readonly event: Event
  readonly width: number
  readonly zone: string
}): ReactNode {
  const isOurs = event.event_name.startsWith('stateward.')
  const at = stamp(Date.parse(event.occurred_at), zone, true)
  return (
    <>
      <span className={styles['time']} role="gridcell" title={`${at} ${zone}`}>
        {width >= 900 ? at.slice(5) : at.slice(11, 19)}
      </span>
      <span className={styles['name']} role="gridcell">
        {isFailure(event) ? (
          <>
            <TriangleAlert size={14} aria-hidden />
            <span className="visually-hidden">failure: </span>
          </>
        ) : null}
        <Link href={`/events/${event.event_id}`} tabIndex={-1} title={event.event_name}>
          {isOurs ? event.event_name.slice('stateward.'.length) : event.event_name}
        </Link>
      </span>
      {width >= 640 ? (
        <span className={styles['summary']} role="gridcell">
          {summaryOf(event)}
        </span>
      ) : null}
      {width >= 900 ? (
        <>
          <span className={styles['actor']} role="gridcell">
            {event.actor}
          </span>
          <span className={styles['seq']} role="gridcell">
            {whole(event.seq)}
          </span>
        </>
      ) : null}
    </>
  )
})

function Placeholder(): ReactNode {
  return <span className={styles['bar']} role="gridcell" aria-label="Loading" />
}
