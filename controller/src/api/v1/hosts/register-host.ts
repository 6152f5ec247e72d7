import Type from 'typebox'
import { route } from '../../http/route.ts'
import { Name, only } from '../schemas.ts'
import { HostLabels } from './host-dto.ts'

export const registerHost = route({
  operation: 'registerHost',
  method: 'POST',
  path: '/api/v1/hosts/register',
  aliases: ['/hosts/register'],
  tag: 'hosts',
  // The join token is the credential.
  access: 'public',
  summary: 'Join as a host',
  description:
    'A join token is exchanged for a credential of the host, which is shown here and nowhere else. `stateward host join` does this, and everything that follows.',
  idempotency: false,
  body: only(
    {
      token: Type.String({ minLength: 8, maxLength: 128 }),
      name: Name,
      labels: Type.Optional(HostLabels),
      agent_slots: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000, description: 'default 10' })),
    },
    { title: 'RegisterHostRequest' },
  ),
  answers: { 201: Type.Object({ host: Type.String(), credential: Type.String() }, { title: 'RegisteredHost' }) },
  example: {
    body: { token: 'swj_7hGe…', name: 'web-1', labels: { zone: 'eu' }, agent_slots: 10 },
    answer: { host: 'web-1', credential: 'swh_2Lk9…' },
  },
  async answer({ body, correlationId }, { services }) {
    const { token, name, labels = {}, agent_slots: agentSlots = 10 } = body
    const { credential } = await services.hosts.join({ token, name, labels, agentSlots }, correlationId)
    return { host: name, credential }
  },
})
