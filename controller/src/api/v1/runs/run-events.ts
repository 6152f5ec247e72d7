import type { EventName } from '../../../events/catalogue.ts'
import { pageEvents } from '../../../store/queries/events-page.ts'
import { runsById } from '../../../store/queries/runs-read.ts'
import type { ApiContext } from '../../context.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { lastEventId, sendEventStream } from '../../streams/event-stream.ts'
import type { OpenStream } from '../../streams/open-stream.ts'
import { Event, eventDto, sampleEvent } from '../event-dto.ts'
import { loggedRunId, noRun } from '../find-run.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { media, NamespaceQuery, only, PageQuery, pageOf } from '../schemas.ts'
import { RUN_REFERENCE, RunParams, Scope } from './run-params.ts'

const PAGE = 500

const sampleStarted = {
  ...sampleEvent,
  event_name: 'stateward.run.started' satisfies EventName,
  run_id: SAMPLE.run,
  resource: { type: 'Run', id: SAMPLE.run },
  data: { run: 'checkmk-auto-remediate-k3q9zt', deadline: SAMPLE.later },
}

export const listRunEvents = route({
  operation: 'listRunEvents',
  method: 'GET',
  path: '/api/v1/runs/{run}/events',
  tag: 'runs',
  access: 'read',
  summary: 'List the events of a run, the oldest first',
  description: `Its history as it was recorded, as far as events are held; also of a run whose row is gone. ${RUN_REFERENCE}`,
  params: RunParams,
  query: only({ ...PageQuery, ...NamespaceQuery }),
  answers: { 200: pageOf(Event) },
  example: { params: { run: 'checkmk-auto-remediate-k3q9zt' }, answer: samplePage(sampleStarted) },
  async answer({ params, query, correlationId }, context) {
    const [cursor = null] = query.cursor === undefined ? [] : decodeCursor(query.cursor, ['number'])
    const runId = await knownRunId(context, params.run, query.namespace ?? null)
    const events = await eventsOf(context.store.reader, runId, cursor, query.limit + 1)
    return pageBody(events, { limit: query.limit, correlationId }, ({ seq }) => [seq], eventDto)
  },
})

export const streamRunEvents = route({
  operation: 'streamRunEvents',
  method: 'GET',
  path: '/api/v1/runs/{run}/events/stream',
  tag: 'streams',
  access: 'read',
  summary: 'Stream the events of a run',
  description: `Server-sent events: all of the run from the first one that is held, or after \`Last-Event-ID\`, until the run has ended. A message named \`end\` says that this was all. ${RUN_REFERENCE}`,
  params: RunParams,
  query: Scope,
  answers: { 200: media('text/event-stream', 'one message an event, until the run has ended') },
  example: {
    params: { run: 'checkmk-auto-remediate-k3q9zt' },
    answer:
      'id: 4711\ndata: {"event_id":"…","event_name":"stateward.run.completed","seq":4711}\n\nevent: end\ndata: {}\n\n',
  },
  async stream(reply, call, context) {
    const from = lastEventId(call.headers['last-event-id'])
    const runId = await knownRunId(context, call.params.run, call.query.namespace ?? null)
    return sendEventStream(reply, call, context, (stream) => followRun(context, stream, runId, from))
  },
})

/**
 * The rows are read by the index of the run, whole log or not; what comes through memory for all streams only tells when
 * there is more.
 */
async function followRun(context: ApiContext, stream: OpenStream, runId: string, from: number | null): Promise<void> {
  const { tail } = context
  let cursor = from
  while (!stream.signal.aborted) {
    const { head } = tail
    // Asked before reading: what was logged before the end is still sent.
    const ended = await hasEnded(context, runId)
    const events = await eventsOf(context.store.engine, runId, cursor, PAGE)
    if (events.length > 0) {
      // Read again after it: the end may have come with these, and then nothing follows that could be waited for.
      const frames = events.map((event) => `id: ${event.seq}\ndata: ${JSON.stringify(eventDto(event))}\n\n`)
      if (!(await stream.write(frames.join('')))) return
      cursor = events.at(-1)!.seq
    } else if (ended) {
      await stream.write('event: end\ndata: {}\n\n')
      return
    } else {
      await nextOf(context, stream, runId, Math.max(head, cursor ?? 0))
    }
  }
}

/** Waits until the log has an event of the run after `position`. */
async function nextOf({ tail }: ApiContext, stream: OpenStream, runId: string, position: number): Promise<void> {
  for (let after = position; ; ) {
    const events = await tail.next(after, stream.signal)
    if (events.length === 0 || events.some(({ event }) => event.run_id === runId)) return
    after = events.at(-1)!.event.seq
  }
}

async function hasEnded({ store }: ApiContext, runId: string): Promise<boolean> {
  const [run] = await runsById(store.engine, [runId])
  return run === undefined || (run.status !== 'created' && run.status !== 'running')
}

/** Throws SW_NOT_FOUND also for a whole id that no row and no event knows. */
async function knownRunId({ store: { engine } }: ApiContext, run: string, namespace: string | null): Promise<string> {
  const runId = await loggedRunId(engine, run, namespace)
  const known = (await runsById(engine, [runId])).length > 0 || (await eventsOf(engine, runId, null, 1)).length > 0
  if (!known) throw noRun(run, namespace)
  return runId
}

function eventsOf(sql: Parameters<typeof pageEvents>[0], runId: string, cursor: number | null, limit: number) {
  const any = { name: null, resource: { type: null, id: null }, correlationId: null, envId: null }
  return pageEvents(sql, { ...any, runId, cursor, order: 'asc', limit })
}
