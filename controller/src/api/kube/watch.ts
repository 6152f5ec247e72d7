import { fail } from '../../lib/error-catalogue.ts'
import { logHead } from '../../store/log.ts'
import { oldestSeq } from '../../store/queries/events-page.ts'
import type { ApiContext } from '../context.ts'
import { toStatewardError } from '../http/error-reply.ts'
import type { TailEvent } from '../streams/log-tail.ts'
import type { OpenStream } from '../streams/open-stream.ts'
import { readSnapshot, tooLarge } from './list.ts'
import type { Selector } from './selectors.ts'
import type { ServedResource, ServedView, Subject } from './served-resource.ts'
import type { Form } from './table.ts'
import { errorLine, type WatchLines, watchLines } from './watch-lines.ts'

export interface WatchRequest {
  readonly namespace: string | null
  readonly selector: Selector
  /** Send what came after this number; null = send what is there as ADDED first. */
  readonly since: number | null
  readonly bookmarks: boolean
  readonly apiVersion: string
  readonly form: Form
  /** null = until the client goes or the server stops (`kubectl get -w` never reconnects). */
  readonly timeoutMs: number | null
}

/** What the client is known to hold. Without a selector nothing can stop matching, so it need not be tracked. */
interface Held {
  readonly ids: Set<string> | null
  /** Up to this number the client may hold objects that `ids` does not know (it listed before the watch began). */
  readonly upTo: number
  /** Created since, not sent yet. */
  readonly fresh: Set<string>
}

/**
 * A Kubernetes watch, fed from the log: newline-delimited events until the stream ends. Every object is sent as it is now,
 * never newer than the batch of events it belongs to, so that whoever resumes at the last version it saw misses nothing.
 */
export async function sendWatch(
  context: ApiContext,
  resource: ServedResource,
  request: WatchRequest,
  stream: OpenStream,
): Promise<void> {
  const timer = request.timeoutMs === null ? null : new AbortController()
  const timeout = timer === null ? undefined : setTimeout(() => timer.abort(), request.timeoutMs!)
  const signal = timer === null ? stream.signal : AbortSignal.any([stream.signal, timer.signal])
  try {
    await watchLog(context, resource, request, stream, signal)
  } catch (error) {
    const failure = toStatewardError(error)
    if (failure.status >= 500) context.log.error({ err: error, kind: resource.kind }, 'a watch failed')
    await stream.write(errorLine(failure))
  } finally {
    clearTimeout(timeout)
  }
}

async function watchLog(
  context: ApiContext,
  resource: ServedResource,
  request: WatchRequest,
  stream: OpenStream,
  signal: AbortSignal,
): Promise<void> {
  const lines = watchLines(resource, request, () => context.clock.now())
  const { held, start } = await begin(context, resource, request, stream, lines)
  let cursor = start
  const bookmark = (): Promise<boolean> => stream.write(lines.bookmark(cursor))
  const marks = request.bookmarks ? setInterval(() => void bookmark(), context.timing.keepaliveMs) : undefined
  try {
    for (;;) {
      const events = await context.tail.next(cursor, signal)
      if (events.length === 0) break
      const text = await textOf(context, resource, request, { held, lines }, events)
      if (text !== '' && !(await stream.write(text))) return
      cursor = events.at(-1)!.event.seq
    }
    if (request.bookmarks) await bookmark()
  } finally {
    clearInterval(marks)
  }
}

async function begin(
  context: ApiContext,
  resource: ServedResource,
  request: WatchRequest,
  stream: OpenStream,
  lines: WatchLines,
): Promise<{ held: Held; start: number }> {
  const { reader, engine } = context.store
  const { since, selector } = request
  if (since === null) {
    const { views, head } = await readSnapshot(reader, resource, { ...request, limit: null, after: null })
    for (let at = 0; at < views.length; at += 200) {
      await stream.write(
        views
          .slice(at, at + 200)
          .map((view) => lines.change('ADDED', view))
          .join(''),
      )
    }
    const ids = selector.everything ? null : idsOf(views)
    return { held: { ids, upTo: 0, fresh: new Set() }, start: head }
  }
  const { seq: head } = await logHead(engine)
  if (since > head) throw tooLarge(since, head)
  const oldest = await oldestSeq(engine)
  if (since + 1 < (oldest ?? head + 1))
    throw fail('SW_EXPIRED', `too old resource version: ${since} (the oldest is ${(oldest ?? head + 1) - 1})`)
  if (selector.everything) return { held: { ids: null, upTo: 0, fresh: new Set() }, start: since }
  const now = await readSnapshot(reader, resource, { ...request, limit: null, after: null })
  // What changed after the client's version may have begun to match since: it is sent as ADDED, which a client that holds it
  // takes for a change.
  const unchanged = now.views.filter((view) => Number(view.metadata.resourceVersion) <= since)
  return { held: { ids: idsOf(unchanged), upTo: now.head, fresh: new Set() }, start: since }
}

function idsOf(views: readonly ServedView[]): Set<string> {
  return new Set(views.map((view) => view.metadata.uid))
}

interface Concerned {
  readonly subject: Subject
  readonly last: TailEvent
}

/** What a client knows, and how it is told more. */
interface Told {
  readonly held: Held
  readonly lines: WatchLines
}

async function textOf(
  context: ApiContext,
  resource: ServedResource,
  request: WatchRequest,
  told: Told,
  events: readonly TailEvent[],
): Promise<string> {
  const { held } = told
  const concerned = new Map<string, Concerned>()
  for (const last of events) {
    const subject = resource.subjectOf(last.event)
    if (subject === null) continue
    if (subject.change === 'created') {
      held.fresh.add(subject.id)
      held.ids?.delete(subject.id)
    }
    // Re-inserted, so that the order is that of each object's last event.
    concerned.delete(subject.id)
    concerned.set(subject.id, { subject, last })
  }
  if (concerned.size === 0) return ''
  const living = [...concerned.values()]
    .filter(({ subject }) => subject.change !== 'deleted')
    .map(({ subject }) => subject.id)
  const found = living.length === 0 ? [] : await resource.withLive(await resource.byId(context.store.engine, living))
  const views = new Map(found.map((view) => [view.metadata.uid, view]))
  const upTo = events.at(-1)!.event.seq
  let text = ''
  for (const { subject, last } of concerned.values()) {
    if (subject.change === 'deleted') text += deletedLine(resource.lastView(last.event), request, told, last.event.seq)
    else text += changedLine(views.get(subject.id), request, told, { seq: last.event.seq, upTo })
  }
  return text
}

function deletedLine(view: ServedView, request: WatchRequest, { held, lines }: Told, seq: number): string {
  const id = view.metadata.uid
  const isHeld = held.ids === null || held.ids.has(id) || seq <= held.upTo
  held.ids?.delete(id)
  // Created and gone before it was sent.
  if (held.fresh.delete(id)) return ''
  return isHeld && inScope(view, request) ? lines.change('DELETED', view) : ''
}

function changedLine(
  view: ServedView | undefined,
  request: WatchRequest,
  { held, lines }: Told,
  at: { readonly seq: number; readonly upTo: number },
): string {
  // Gone, or changed again, since this batch: a later event brings it.
  if (view === undefined || Number(view.metadata.resourceVersion) > at.upTo) return ''
  const id = view.metadata.uid
  const fresh = held.fresh.delete(id)
  if (!inScope(view, request)) {
    const wasHeld = held.ids?.delete(id) === true || (at.seq <= held.upTo && request.selector.name === null)
    return wasHeld && (request.namespace === null || view.metadata.namespace === request.namespace)
      ? lines.change('DELETED', view)
      : ''
  }
  const added = fresh || (held.ids !== null && !held.ids.has(id))
  held.ids?.add(id)
  return lines.change(added ? 'ADDED' : 'MODIFIED', view)
}

function inScope(view: ServedView, request: WatchRequest): boolean {
  return (request.namespace === null || view.metadata.namespace === request.namespace) && request.selector.matches(view)
}
