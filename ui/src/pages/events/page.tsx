import { ArrowUp, Pause, Play, TriangleAlert, X } from 'lucide-react'
import { type ReactNode, useMemo, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import type { Event } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { Button } from '../../components/button.tsx'
import { Command } from '../../components/command.tsx'
import { ChoiceField, FilterBar, SearchField, useFilters } from '../../components/filters.tsx'
import { PageFrame } from '../../components/page.tsx'
import { Empty, Failure, Loaded, Skeleton } from '../../components/states.tsx'
import { useWidth } from '../../components/use-width.ts'
import { classNames } from '../../text/class-names.ts'
import { whole } from '../../text/numbers.ts'
import { EventDetail } from '../event/event-detail.tsx'
import { EventRows } from './event-rows.tsx'
import { type EventFilter, nameGlob } from './event-words.ts'
import styles from './events.module.css'
import { useFilteredEvents } from './use-filtered-events.ts'
import { useLogWindow } from './use-log-window.ts'

const TOPICS = [
  ['stateward.run.*', 'runs'],
  ['stateward.object.*', 'objects'],
  ['stateward.source.*', 'the state repo'],
  ['stateward.agent.*', 'agents'],
  ['stateward.task.*', 'tasks'],
  ['stateward.tool.*', 'tools'],
  ['stateward.model.*', 'models'],
  ['stateward.alert.*', 'alerts'],
  ['stateward.proposal.*', 'proposals'],
  ['stateward.policy.*', 'policies'],
  ['stateward.access.*', 'access'],
] as const

/** From this width on, one event is shown beside the list. */
const BESIDE = 880

/** The log, newest first and live: everything that happened, whoever did it. */
export function Page(): ReactNode {
  const [values, setFilter] = useFilters(
    ...(['name', 'failures', 'run', 'type', 'resource', 'actor', 'correlation', 'at', 'event', 'paused'] as const),
  )
  const filter = useMemo(
    (): EventFilter => ({
      name: nameGlob(values.name),
      run: values.run,
      resourceType: values.type,
      resource: values.resource,
      actor: values.actor,
      correlation: values.correlation,
      failures: values.failures === 'true',
    }),
    [values.name, values.run, values.type, values.resource, values.actor, values.correlation, values.failures],
  )
  const isFiltered = filter.failures || Object.values(filter).some((value) => typeof value === 'string' && value !== '')
  const [isAway, setAway] = useState(false)
  const paused = values.paused === 'true'
  const at = /^\d+$/.test(values.at) ? Number(values.at) : null
  const holds = paused || isAway || at !== null
  const log = useLogWindow(holds, at, !isFiltered)
  const matching = useFilteredEvents(filter, holds, isFiltered)
  const list = isFiltered ? matching : log
  const frame = useRef<HTMLDivElement>(null)
  const scroller = useRef<HTMLDivElement>(null)
  const width = useWidth(frame)
  const [, navigate] = useLocation()
  const isBeside = values.event !== '' && width >= BESIDE
  const open = (event: Event): void => {
    if (width >= BESIDE) setFilter('event', event.event_id)
    else navigate(`/events/${event.event_id}`)
  }
  const toNewest = (): void => {
    if (paused) setFilter('paused', '')
    if (at !== null) setFilter('at', '')
    scroller.current?.scrollTo({ top: 0 })
    setAway(false)
  }
  const chips = (['run', 'type', 'resource', 'actor', 'correlation', 'at'] as const).filter(
    (name) => values[name] !== '',
  )
  return (
    <PageFrame
      title="Events"
      lead="The log: append-only, in one order, without gaps."
      aside={
        <>
          {list.count === 0 ? null : (
            <span className={styles['total']} data-testid="events-count">
              {whole(list.count)} {isFiltered ? 'read so far' : 'held'}
            </span>
          )}
          <Button onClick={() => setFilter('paused', paused ? '' : 'true')} testId="events-pause" pressed={paused}>
            {paused ? <Play size={15} aria-hidden /> : <Pause size={15} aria-hidden />}
            {paused ? 'Go on' : 'Pause'}
          </Button>
        </>
      }
    >
      <FilterBar>
        <SearchField
          label="Name: checkmk.*, gate, …"
          value={values.name}
          onChange={(next) => setFilter('name', next)}
          testId="events-search"
        />
        <ChoiceField
          label="About"
          value={TOPICS.some(([glob]) => glob === values.name) ? values.name : ''}
          choices={TOPICS}
          onChange={(next) => setFilter('name', next)}
          testId="events-topic"
        />
        <Button
          onClick={() => setFilter('failures', filter.failures ? '' : 'true')}
          testId="events-failures"
          pressed={filter.failures}
        >
          <TriangleAlert size={15} aria-hidden />
          Failures
        </Button>
        {chips.map((name) => (
          <button
            key={name}
            type="button"
            className={styles['chip']}
            onClick={() => setFilter(name, '')}
            data-testid={`events-without-${name}`}
            aria-label={`Take away the filter ${name}: ${values[name]}`}
          >
            <span>
              {name} {values[name].length > 20 ? `${values[name].slice(0, 13)}…` : values[name]}
            </span>
            <X size={13} aria-hidden />
          </button>
        ))}
      </FilterBar>
      <div ref={frame} className={classNames(styles['console'], isBeside && styles['beside'])}>
        <div className={styles['list']}>
          {holds && list.fresh > 0 ? (
            <button type="button" className={styles['fresh']} onClick={toNewest} data-testid="events-fresh">
              <ArrowUp size={14} aria-hidden /> {whole(list.fresh)} new
            </button>
          ) : null}
          {list.count > 0 ? (
            <EventRows
              scroller={scroller}
              count={list.count}
              rowAt={list.rowAt}
              onRange={list.onRange}
              onOpen={open}
              selected={values.event}
              onAway={setAway}
              width={isBeside ? width * 0.58 : width}
            />
          ) : list.error !== null ? (
            <Failure error={list.error} onRetry={list.retry} />
          ) : list.isLoading ? (
            <div className={styles['loading']}>
              <Skeleton lines={14} />
            </div>
          ) : (
            <NoEvents isFiltered={isFiltered} />
          )}
        </div>
        {isBeside ? <Beside eventId={values.event} onClose={() => setFilter('event', '')} /> : null}
      </div>
    </PageFrame>
  )
}

function NoEvents({ isFiltered }: { readonly isFiltered: boolean }): ReactNode {
  return isFiltered ? (
    <Empty title="Nothing like that happened">Take a filter away; what comes live shows here at once.</Empty>
  ) : (
    <Empty title="The log is empty">
      <Command command={'stateward emit hello.world --data \'{"name":"you"}\''} label="Send an event" />
    </Empty>
  )
}

function Beside({ eventId, onClose }: { readonly eventId: string; readonly onClose: () => void }): ReactNode {
  const event = useRead('/api/v1/events/{event_id}', { path: { event_id: eventId } })
  return (
    <aside className={styles['detail']} aria-label="One event" data-testid="event-beside">
      <Button onClick={onClose} testId="event-close" look="quiet" label="Close">
        <X size={16} aria-hidden />
      </Button>
      <Loaded of={event} lines={10}>
        {(found) => <EventDetail event={found} isBeside />}
      </Loaded>
    </aside>
  )
}
