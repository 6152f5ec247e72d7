import { fail } from '../../lib/error-catalogue.ts'
import type { ApiClient } from './api-client.ts'
import type { EventDto } from './dto.ts'
import { serverSentEvents } from './line-stream.ts'
import { firstItems } from './pages.ts'

export interface EventFilter {
  /** Exact, or with `*`: `checkmk.*`. */
  readonly name?: string | null
  readonly runId?: string | null
  readonly resource?: { readonly type: string; readonly id: string }
}

/** The newest events that match, oldest of them first. */
export async function newestEvents(client: ApiClient, filter: EventFilter, limit: number): Promise<EventDto[]> {
  return (await firstItems(client, 'listEvents', queryOf(filter), limit)).items.reverse()
}

const RETRY_MS = 1000
const ATTEMPTS = 30

/** Events as they are logged, from after `seq` on (null = from now), until `signal` is aborted. See {@link followStream}. */
export async function* followEvents(
  client: ApiClient,
  filter: EventFilter,
  seq: number | null,
  signal: AbortSignal,
): AsyncGenerator<EventDto> {
  const { resource_type: _type, resource_id: _id, ...query } = queryOf(filter)
  const connect = (headers: Headers) => client.stream('streamUiEvents', query, signal, headers)
  yield* followStream(client.server, connect, seq, signal)
}

/** Every event of a run after `seq`, from the first one that is held on, until the run has ended or `signal` is aborted. */
export async function* followRun(
  client: ApiClient,
  run: string,
  signal: AbortSignal,
  seq: number | null = null,
): AsyncGenerator<EventDto> {
  const connect = (headers: Headers) => client.stream('streamRunEvents', { run }, signal, headers)
  yield* followStream(client.server, connect, seq, signal)
}

type Headers = Readonly<Record<string, string>>

/**
 * What a stream of the server sends, until it says that this was all or `signal` is aborted. A lost connection is taken up
 * again where it was lost, for half a minute; then it throws SW_SERVER_UNREACHABLE.
 */
async function* followStream(
  server: string,
  connect: (headers: Headers) => AsyncIterable<string>,
  seq: number | null,
  signal: AbortSignal,
): AsyncGenerator<EventDto> {
  let last = seq === null ? null : String(seq)
  let failures = 0
  let connected = false
  let failure: unknown = fail('SW_SERVER_UNREACHABLE', `${server} ended the stream`)
  while (!signal.aborted) {
    try {
      const headers = { accept: 'text/event-stream', ...(last === null ? {} : { 'last-event-id': last }) }
      for await (const sent of serverSentEvents(connect(headers))) {
        failures = 0
        connected = true
        if (sent.id !== null) last = sent.id
        if (sent.event === 'superseded' || sent.event === 'end') return
        if (sent.event === 'message') yield JSON.parse(sent.data) as EventDto
      }
    } catch (error) {
      // Before the first answer there is nothing to go on with: say so at once.
      if (!connected) throw error
      failure = error
    }
    if (signal.aborted) return
    failures += 1
    if (failures > ATTEMPTS) throw failure
    await pause(RETRY_MS, signal)
  }
}

function queryOf(filter: EventFilter) {
  return {
    event_name: filter.name,
    run_id: filter.runId,
    resource_type: filter.resource?.type,
    resource_id: filter.resource?.id,
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
