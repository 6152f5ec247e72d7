import type { Caller } from '../../caller.ts'
import { route } from '../../http/route.ts'
import type { HostService } from '../../ports/hosts.ts'
import { Host, HostParams, hostDto, sampleHost } from './host-dto.ts'

function change(
  verb: 'cordon' | 'uncordon' | 'drain',
  words: { readonly summary: string; readonly description: string },
) {
  const work = (hosts: HostService, name: string, caller: Caller) => hosts[verb](name, caller)
  return route({
    operation: `${verb}Host`,
    method: 'POST',
    path: `/api/v1/hosts/{host}/${verb}`,
    tag: 'hosts',
    access: 'hosts.manage',
    ...words,
    // Doing it again changes nothing.
    idempotency: false,
    params: HostParams,
    answers: { 200: Host },
    example: { params: { host: 'web-1' }, answer: sampleHost },
    async answer({ params, caller }, { services }) {
      await work(services.hosts, params.host, caller)
      return hostDto(await services.hosts.get(params.host))
    },
  })
}

export const cordonHost = change('cordon', {
  summary: 'Have a host take no new instances',
  description: 'What runs there goes on. Takes effect at once, and lasts until `uncordon`.',
})

export const uncordonHost = change('uncordon', {
  summary: 'Have a host take new instances again',
  description: 'Ends a drain, too. 409 while its document in Git says `unschedulable: true`.',
})

export const drainHost = change('drain', {
  summary: 'Move everything that runs on a host to others',
  description:
    'Cordons the host. Each instance is asked to end within its grace period, and its replica starts elsewhere when it has; commands of tasks are left to finish. `drain` of the answer says how far it is.',
})

export const removeHost = route({
  operation: 'removeHost',
  method: 'DELETE',
  path: '/api/v1/hosts/{host}',
  tag: 'hosts',
  access: 'hosts.manage',
  summary: 'Forget a joined host',
  description: 'Its credential is worth nothing from then on. 409 while it is connected.',
  idempotency: false,
  params: HostParams,
  answers: { 200: Host },
  example: { params: { host: 'web-1' }, answer: { ...sampleHost, ready: false, reason: 'HeartbeatMissed' } },
  async answer({ params, caller }, { services }) {
    const before = hostDto(await services.hosts.get(params.host))
    await services.hosts.remove(params.host, caller)
    return before
  },
})
