import { fail } from '../../lib/error-catalogue.ts'
import type { ApiClient } from './api-client.ts'
import type { EventDto } from './dto.ts'
import { serverSentEvents } from './line-stream.ts'
import type { OutputOf } from './operation-request.ts'

export interface EventFilter {
  /** Exact, or with `*`: `checkmk.*`. */
  readonly name?: string | null
  readonly runId?: string | null
  readonly resource?: { readonly type: string; readonly id: string }
}

/** The newest events that match, oldest of them first. */
export async function newestEvents(client: ApiClient, filter: EventFilter, limit: number): Promise<EventDto[]> {
  const found: EventDto[] = []
  let cursor: string | null = null
  do {
    const page: OutputOf<'listEvents'> = await client.call('listEvents', {
      ...queryOf(filter),
      limit: Math.min(limit - found.length, 1000),
      cursor,
    })
    found.push(...page.items)
    cursor = page.next_cursor
  } while (cursor !== null && found.length < limit)
  return found.reverse()
}

const RETRY_MS = 1000
const ATTEMPTS = 30

/**
 * Events as they are logged, from after `seq` on (null = from now), until `signal` is aborted. A lost connection is taken up
 * again where it was lost, for half a minute; then it throws SW_SERVER_UNREACHABLE.
 */
export async function* followEvents(
  client: ApiClient,
  filter: EventFilter,
  seq: number | null,
  signal: AbortSignal,
): AsyncGenerator<EventDto> {
  let last = seq === null ? null : String(seq)
  let failures = 0
  let connected = false
  let failure: unknown = fail('SW_SERVER_UNREACHABLE', `${client.server} ended the stream`)
  const { resource_type: _type, resource_id: _id, ...query } = queryOf(filter)
  while (!signal.aborted) {
    try {
      const headers = { accept: 'text/event-stream', ...(last === null ? {} : { 'last-event-id': last }) }
      for await (const sent of serverSentEvents(client.stream('streamOperatorEvents', query, signal, headers))) {
        failures = 0
        connected = true
        if (sent.id !== null) last = sent.id
        if (sent.event === 'superseded') return
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
