import type { FastifyRequest } from 'fastify'

/** Over TLS; a name that is not of this machine is reached over TLS that ends before us. */
export function isSecure({ protocol, hostname }: Pick<FastifyRequest, 'protocol' | 'hostname'>): boolean {
  return protocol === 'https' || !['localhost', '127.0.0.1', '[::1]'].includes(hostname.toLowerCase())
}

/** Where we are, as whoever asks sees it: the address he asked at, whose name was checked. */
export function ownAddress(request: FastifyRequest): string {
  return `${isSecure(request) ? 'https' : 'http'}://${request.host}`
}
