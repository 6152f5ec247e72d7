import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable } from '../schemas.ts'

const TlsListener = Type.Object(
  {
    url: Type.String({ description: 'as this process is reached on its own machine' }),
    ca: Nullable(Type.String({ description: 'what it is trusted by, in PEM; null = what your system trusts' })),
    correlation_id: Type.String(),
  },
  { title: 'TlsListener' },
)

export const readTls = route({
  operation: 'readTls',
  method: 'GET',
  path: '/api/v1/tls',
  tag: 'server',
  access: 'public',
  summary: 'Where this API is over TLS, and what it is trusted by',
  answers: { 200: TlsListener },
  example: {
    answer: {
      url: 'https://127.0.0.1:8090',
      ca: '-----BEGIN CERTIFICATE-----\nMIIDDTCCAfWgAwIBAgIR…\n-----END CERTIFICATE-----\n',
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ correlationId }, { tls }) {
    if (tls === null)
      throw fail('SW_NOT_FOUND', 'this process does not listen over TLS', {
        remedy: 'start it with --tls-port, or free the port it wanted',
      })
    return { ...tls, correlation_id: correlationId }
  },
})
