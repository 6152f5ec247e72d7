import type { ServerResponse } from 'node:http'
import type { KubeResource } from './kube-resource.ts'
import { apiVersionOf, type KubeStore, type Stored } from './kube-store.ts'
import { refuse, statusOf } from './refusal.ts'

/** A watch: newline-delimited events from a version on, until the client goes or `timeoutSeconds` are over. */
export function serveWatch(
  store: KubeStore,
  asked: {
    readonly resource: KubeResource
    readonly namespace: string | null
    readonly query: URLSearchParams
    readonly bookmarkMs: number
  },
  response: ServerResponse,
): void {
  const { resource, namespace, query } = asked
  const since = Number(query.get('resourceVersion') ?? 0)
  if (since > store.version)
    throw refuse(504, 'Timeout', `Too large resource version: ${since}, current: ${store.version}`)
  response.writeHead(200, { 'content-type': 'application/json' })
  response.flushHeaders()
  const line = (type: string, object: unknown) => response.write(`${JSON.stringify({ type, object })}\n`)
  if (since !== 0 && since < store.oldest) {
    const expired = refuse(410, 'Expired', `too old resource version: ${since} (${store.oldest})`)
    line('ERROR', statusOf(expired))
    response.end()
    return
  }
  const concerns = ({ metadata }: Stored) => namespace === null || metadata.namespace === namespace
  let cursor = since
  if (since === 0) {
    cursor = store.version
    for (const object of store.list(resource, namespace)) line('ADDED', object)
  }
  const flush = () => {
    const upTo = store.version
    for (const { type, object } of store.changesAfter(cursor, resource)) if (concerns(object)) line(type, object)
    cursor = upTo
  }
  const bookmark = () => {
    flush()
    const metadata = { resourceVersion: String(cursor) }
    line('BOOKMARK', { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata })
  }
  const unlisten = store.listen(flush)
  const marks = query.get('allowWatchBookmarks') === 'true' ? setInterval(bookmark, asked.bookmarkMs) : undefined
  const seconds = Number(query.get('timeoutSeconds') ?? 1800)
  const timeout = setTimeout(() => response.end(), seconds * 1000)
  response.once('close', () => {
    unlisten()
    clearInterval(marks)
    clearTimeout(timeout)
  })
  flush()
}
