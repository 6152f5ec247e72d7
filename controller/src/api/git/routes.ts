import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { authorize } from '../auth/authorize.ts'
import type { ApiContext } from '../context.ts'
import { callerOf } from '../http/request-context.ts'
import type { Api } from '../http/typed.ts'

const BASE = '/git/state.git'
const Services = Type.Object({
  service: Type.Union([Type.Literal('git-upload-pack'), Type.Literal('git-receive-pack')]),
})

/**
 * The state repo over git's own protocol (smart HTTP): whoever may read fetches, and pushes branches of proposals. Bodies are
 * streamed; nothing is held in memory but the answer to a push.
 */
export function addGitRoutes(app: Api, context: ApiContext): void {
  const { git } = context.services
  app.register(async (scope: Api) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    scope.get(
      `${BASE}/info/refs`,
      { config: { access: 'git.fetch', operation: 'gitRefs' }, schema: { querystring: Services } },
      async (request, reply) => {
        const { service } = request.query
        if (service === 'git-receive-pack') authorize(request.principal, 'git.push')
        const refs = git.advertise(service, protocolOf(request))
        const line = `# service=${service}\n`
        const head = `${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`
        return send(
          reply,
          `application/x-${service}-advertisement`,
          Readable.from(prefixed(head, refs), { objectMode: false }),
        )
      },
    )
    scope.post(
      `${BASE}/git-upload-pack`,
      { config: { access: 'git.fetch', operation: 'gitFetch' } },
      async (request, reply) =>
        send(reply, 'application/x-git-upload-pack-result', git.fetch(bodyOf(request), protocolOf(request))),
    )
    scope.post(
      `${BASE}/git-receive-pack`,
      { config: { access: 'git.push', operation: 'gitPush' } },
      async (request, reply) => {
        const { principal } = request
        const answer = await git.push(bodyOf(request), protocolOf(request), principal, callerOf(request))
        return send(reply, 'application/x-git-receive-pack-result', answer)
      },
    )
  })
}

/** What it answers is true at that moment only. */
function send(reply: FastifyReply, type: string, body: Readable | Buffer): FastifyReply {
  return reply.header('content-type', type).header('cache-control', 'no-cache, max-age=0, must-revalidate').send(body)
}

async function* prefixed(head: string, rest: Readable): AsyncGenerator<Buffer> {
  yield Buffer.from(head)
  for await (const chunk of rest) yield chunk as Buffer
}

/** Clients compress what they ask for. */
function bodyOf(request: FastifyRequest): Readable {
  const body = request.body as Readable
  if (request.headers['content-encoding'] !== 'gzip') return body
  const unzipped = createGunzip()
  body.once('error', (error) => unzipped.destroy(error))
  return body.pipe(unzipped)
}

/** A few words of git's; anything else is not handed on. */
function protocolOf(request: FastifyRequest): string | null {
  const header = request.headers['git-protocol']
  return typeof header === 'string' && /^version=[0-2]$/.test(header) ? header : null
}
