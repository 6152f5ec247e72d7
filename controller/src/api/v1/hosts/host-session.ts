import Type from 'typebox'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, only, Time, Uuid } from '../schemas.ts'
import { Amount, BootPhaseName, HostParams } from './host-dto.ts'
import { ownHost } from './own-host.ts'

const renewal = {
  lease_ms: Type.Integer({ description: 'the lease lasts this long from when the request was sent' }),
  server_time: Time,
  shortage: Nullable(Type.String({ description: 'what the machine lacks of what its document asks for' })),
}
const Renewal = Type.Object(renewal, { title: 'HostRenewal' })
const sampleRenewal = { lease_ms: 60_000, server_time: SAMPLE.time, shortage: null }
const Path = Type.String({ minLength: 1, maxLength: 4096 })

export const beginHostSession = route({
  operation: 'beginHostSession',
  method: 'POST',
  path: '/api/v1/hosts/{host}/session',
  tag: 'hosts',
  access: 'host.work',
  summary: 'Begin to supervise the agents of a host',
  description: '409 while another machine holds the lease of the host.',
  idempotency: false,
  params: HostParams,
  body: only(
    {
      machine: Type.String({ minLength: 1, maxLength: 64, description: 'names the data folder' }),
      boot_id: Type.String({ minLength: 1, maxLength: 128 }),
      data_dir: Path,
      version: Type.String({ minLength: 1, maxLength: 64 }),
      hardware: only({ cpu: Amount, memory: Amount, storage: Amount, network: Nullable(Amount), gpu: Amount }),
    },
    { title: 'HostSessionRequest' },
  ),
  answers: { 200: Type.Object({ session: Uuid, ...renewal }, { title: 'HostSession' }) },
  example: {
    params: { host: 'web-1' },
    body: {
      machine: 'b0c5c4de',
      boot_id: '6f1e',
      data_dir: '/srv/stateward',
      version: '0.1.0',
      hardware: { cpu: 8, memory: 16_777_216_000, storage: 107_374_182_400, network: null, gpu: 0 },
    },
    answer: { session: SAMPLE.host, ...sampleRenewal },
  },
  async answer({ principal, params, body }, { services }) {
    const { machine, boot_id: bootId, data_dir: dataDir, version, hardware } = body
    return services.hosts.begin(ownHost(principal, params.host), { machine, bootId, dataDir, version, hardware })
  },
})

export const heartbeatHost = route({
  operation: 'heartbeatHost',
  method: 'POST',
  path: '/api/v1/hosts/{host}/heartbeat',
  tag: 'hosts',
  access: 'host.work',
  summary: 'Renew the lease of a host, with what it uses',
  description: '409 when the session is over: every agent of the host has to be ended then.',
  idempotency: false,
  isCounted: false,
  params: HostParams,
  body: only(
    {
      session: Uuid,
      metrics: only({
        cpu: Amount,
        load1: Amount,
        memory_used: Amount,
        storage_used: Amount,
        network_received: Amount,
        network_sent: Amount,
        gpu: Amount,
      }),
      phase: BootPhaseName,
      message: Nullable(Type.String({ maxLength: 4096 })),
      boot_duration_ms: Nullable(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    },
    { title: 'HostHeartbeatRequest' },
  ),
  answers: { 200: Renewal },
  example: {
    params: { host: 'web-1' },
    body: {
      session: SAMPLE.host,
      metrics: {
        cpu: 0.12,
        load1: 0.4,
        memory_used: 4_294_967_296,
        storage_used: 21_474_836_480,
        network_received: 1_048_576,
        network_sent: 524_288,
        gpu: 0,
      },
      phase: 'Autonomy',
      message: null,
      boot_duration_ms: 1840,
    },
    answer: sampleRenewal,
  },
  async answer({ principal, params, body }, { services }) {
    const { session, ...report } = body
    return services.hosts.heartbeat(ownHost(principal, params.host), session, report)
  },
})

export const leaveHost = route({
  operation: 'leaveHost',
  method: 'POST',
  path: '/api/v1/hosts/{host}/leave',
  tag: 'hosts',
  access: 'host.work',
  summary: 'End a session: nothing of it runs any more',
  idempotency: false,
  params: HostParams,
  body: only({ session: Uuid }, { title: 'LeaveHostRequest' }),
  answers: { 204: Type.Null() },
  example: { params: { host: 'web-1' }, body: { session: SAMPLE.host } },
  async answer({ principal, params, body }, { services }) {
    await services.hosts.leave(ownHost(principal, params.host), body.session)
    return null
  },
})
