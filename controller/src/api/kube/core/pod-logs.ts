import { Readable } from 'node:stream'
import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import type { ApiContext } from '../../context.ts'
import { requestSignal } from '../../http/request-signal.ts'
import type { Api } from '../../http/typed.ts'
import { runResource } from '../run-resource.ts'

const BOOLEAN = Type.Optional(Type.String({ maxLength: 5 }))
const LogQuery = Type.Object({
  container: Type.Optional(Type.String({ maxLength: 63 })),
  follow: BOOLEAN,
  tailLines: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000 })),
  limitBytes: Type.Optional(Type.Integer({ minimum: 1 })),
  previous: BOOLEAN,
  timestamps: BOOLEAN,
  sinceSeconds: Type.Optional(Type.String({ maxLength: 20 })),
  sinceTime: Type.Optional(Type.String({ maxLength: 40 })),
})
const PodParams = Type.Object({ namespace: Type.String(), name: Type.String() })

/** What cannot be done with logs that are text as it was written. */
const UNKNOWN = ['previous', 'timestamps', 'sinceSeconds', 'sinceTime'] as const

/** `kubectl logs <run>` and `kubectl logs <agent>`, with `-f`, `-c`, `--tail` and `--limit-bytes`. */
export function addPodLogs(app: Api, { store, services, stopping }: ApiContext): void {
  app.get(
    '/kube/api/v1/namespaces/:namespace/pods/:name/log',
    { config: { access: 'read', isCounted: false }, schema: { params: PodParams, querystring: LogQuery } },
    async (request, reply) => {
      const { params, query } = request
      for (const name of UNKNOWN)
        if (query[name] !== undefined && query[name] !== 'false')
          throw fail('SW_BAD_REQUEST', `logs cannot be asked for with ${name}`, {
            remedy: 'use --tail, --limit-bytes, or stateward logs',
          })
      const options = {
        follow: query.follow === 'true' || query.follow === '1',
        signal: requestSignal(reply, stopping),
        tailLines: query.tailLines ?? null,
      }
      const run = await runResource.find(store.reader, params.namespace, params.name)
      const isRun = run?.metadata.name === params.name
      const container = isRun ? 'run' : 'agent'
      if (query.container !== undefined && query.container !== container)
        throw fail('SW_BAD_REQUEST', `container ${query.container} is not valid for pod ${params.name}`, {
          remedy: `its only container is ${container}`,
        })
      const chunks = isRun
        ? await services.logs.run(run.metadata.uid, options)
        : await services.logs.agent(params, options)
      return reply
        .type('text/plain; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(Readable.from(limited(chunks, query.limitBytes ?? null), { objectMode: false }))
    },
  )
}

async function* limited(chunks: AsyncIterable<string>, limit: number | null): AsyncIterable<string | Buffer> {
  let left = limit ?? Number.POSITIVE_INFINITY
  for await (const chunk of chunks) {
    const bytes = Buffer.byteLength(chunk)
    yield bytes <= left ? chunk : Buffer.from(chunk).subarray(0, left)
    left -= bytes
    if (left <= 0) return
  }
}
