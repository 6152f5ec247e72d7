import Type from 'typebox'
import type { ObjectView } from '../../../kinds/resource.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../../../lib/json.ts'
import type { ApiContext } from '../../context.ts'
import type { Api } from '../../http/typed.ts'
import { pathOf, type ServedGroup } from '../served-resource.ts'
import { patchedObject } from './patch.ts'
import { proposeObject } from './propose.ts'
import { objectOfBody } from './sent-object.ts'
import { existing, writeOf } from './write-of.ts'

const ScaleParams = Type.Object({ namespace: Type.String(), name: Type.String() })
const ScaleQuery = Type.Object({ dryRun: Type.Optional(Type.String({ maxLength: 20 })) })

/** `kubectl scale agent NAME --replicas=N`: `autoscaling/v1` Scale of `spec.replicas`, which is proposed as every write is. */
export function addScale(app: Api, context: ApiContext, group: ServedGroup): void {
  const path = `/kube${pathOf(group)}/namespaces/:namespace/agents/:name/scale`
  const schema = { params: ScaleParams, querystring: ScaleQuery }
  const target = { context, group, plural: 'agents' }
  app.get(path, { config: { access: 'read', isCounted: false }, schema }, async (request, reply) =>
    scaleOf(await existing(writeOf(target, 'get', request, reply))),
  )
  for (const method of ['PUT', 'PATCH'] as const) {
    const config = { access: 'kube.write' as const, isCounted: false }
    app.route({
      ...{ method, url: path, config, schema },
      async handler(request, reply) {
        const write = writeOf(target, 'patch', request, reply)
        const current = await existing(write)
        const type = String(request.headers['content-type'] ?? '').split(';', 1)[0]!
        const before = scaleOf(current) as unknown as JsonObject
        const scale = method === 'PUT' ? objectOfBody(request.body) : patchedObject(before, request.body, type)
        const replicas = isObject(scale['spec']) ? scale['spec']['replicas'] : undefined
        if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0)
          throw fail('SW_BAD_REQUEST', 'spec.replicas is no number of replicas')
        const wanted = { ...current, spec: { ...current.spec, replicas } } as unknown as JsonObject
        return scaleOf((await proposeObject(write, wanted, current)) as ObjectView)
      },
    })
  }
}

function scaleOf({ metadata, spec, status }: ObjectView) {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata
  const replicas = typeof spec['replicas'] === 'number' ? spec['replicas'] : 1
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas },
    status: { replicas: Number(status['replicas'] ?? 0), selector: '' },
  }
}
