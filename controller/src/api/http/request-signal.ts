import type { FastifyRequest } from 'fastify'

/** Aborted when the client has gone away or the server stops: long answers end then. */
export function requestSignal(request: FastifyRequest, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController()
  request.raw.socket.once('close', () => gone.abort())
  return AbortSignal.any([gone.signal, stopping])
}
