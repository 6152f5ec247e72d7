import type { FastifyReply } from 'fastify'

/** Aborted when the client has gone away or the server stops: long answers end then. */
export function requestSignal(reply: FastifyReply, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController()
  // Of the response, not of its socket: that is kept for the next requests.
  reply.raw.once('close', () => gone.abort())
  return AbortSignal.any([gone.signal, stopping])
}
