import Type from 'typebox'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Host, HostParams, hostDto, sampleHost } from './host-dto.ts'

export const listHosts = route({
  operation: 'listHosts',
  method: 'GET',
  path: '/api/v1/hosts',
  tag: 'hosts',
  access: 'read',
  summary: 'List the hosts, with what they have and use',
  answers: {
    200: Type.Object({ items: Type.Array(Host), correlation_id: Type.String() }, { title: 'HostList' }),
  },
  example: { answer: { items: [sampleHost], correlation_id: SAMPLE.correlation } },
  async answer({ correlationId }, { services }) {
    return { items: (await services.hosts.list()).map(hostDto), correlation_id: correlationId }
  },
})

export const readHost = route({
  operation: 'readHost',
  method: 'GET',
  path: '/api/v1/hosts/{host}',
  tag: 'hosts',
  access: 'read',
  summary: 'Read one host',
  params: HostParams,
  answers: { 200: Host },
  example: { params: { host: 'web-1' }, answer: sampleHost },
  answer: async ({ params }, { services }) => hostDto(await services.hosts.get(params.host)),
})

export const readHostCapacity = route({
  operation: 'readHostCapacity',
  method: 'GET',
  path: '/api/v1/hosts/{host}/capacity',
  aliases: ['/hosts/{host}/capacity'],
  tag: 'hosts',
  access: 'read',
  summary: 'Read how many slots for agents a host has left',
  params: HostParams,
  answers: {
    200: Type.Object(
      {
        slots_total: Type.Integer(),
        slots_used: Type.Integer(),
        slots_free: Type.Integer({ description: '0 also when it takes no new instances' }),
        memory_total: Type.Union([Type.Number(), Type.Null()], { description: 'bytes; null = nobody says' }),
        memory_claimed: Type.Number({ description: 'bytes' }),
        schedulable: Type.Boolean(),
      },
      { title: 'HostCapacity' },
    ),
  },
  example: {
    params: { host: 'web-1' },
    answer: {
      slots_total: 10,
      slots_used: 2,
      slots_free: 8,
      memory_total: 16_777_216_000,
      memory_claimed: 536_870_912,
      schedulable: true,
    },
  },
  async answer({ params }, { services }) {
    const { facts, slotsUsed, memoryClaimed } = await services.hosts.get(params.host)
    return {
      slots_total: facts.slots,
      slots_used: slotsUsed,
      slots_free: facts.schedulable ? Math.max(facts.slots - slotsUsed, 0) : 0,
      memory_total: facts.memory,
      memory_claimed: memoryClaimed,
      schedulable: facts.schedulable,
    }
  },
})
