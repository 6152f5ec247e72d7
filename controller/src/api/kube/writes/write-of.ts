import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ObjectView } from '../../../kinds/resource.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { isObject } from '../../../lib/json.ts'
import type { ApiContext } from '../../context.ts'
import type { ServedGroup } from '../served-resource.ts'
import type { Write } from './propose.ts'

export type WriteRequest = Pick<FastifyRequest, 'body' | 'headers' | 'principal' | 'id'> & {
  readonly params: { readonly plural?: string; readonly namespace?: string; readonly name?: string }
  readonly query: { readonly dryRun?: string }
}

/** What a request asks for, by its path; of a new object the name stands in the body. SW_METHOD_NOT_ALLOWED. */
export function writeOf(
  target: { readonly context: ApiContext; readonly group: ServedGroup; readonly plural: string },
  verb: string,
  request: WriteRequest,
  reply: FastifyReply,
): Write {
  const { context, group, plural } = target
  const { namespace = '', name } = request.params
  const resource = group.resources.find((one) => one.plural === plural && one.verbs?.includes(verb) === true)
  if (resource === undefined || (resource.scope === 'Namespaced') !== (namespace !== ''))
    throw fail('SW_METHOD_NOT_ALLOWED', `${plural} cannot be written here`)
  // Of a deletion it stands in the body.
  const inBody = isObject(request.body) ? request.body['dryRun'] : undefined
  const dryRun = request.query.dryRun ?? (Array.isArray(inBody) ? String(inBody[0]) : undefined)
  if (dryRun !== undefined && dryRun !== '' && dryRun !== 'All') throw fail('SW_BAD_REQUEST', 'dryRun can only be All')
  const sent = isObject(request.body) && isObject(request.body['metadata']) ? request.body['metadata']['name'] : null
  const ref = { kind: resource.kind, namespace, name: name ?? (typeof sent === 'string' ? sent : '') }
  return { context, group, resource, ref, request: request as FastifyRequest, reply, dryRun: dryRun === 'All' }
}

export async function found({ context, resource, ref }: Write): Promise<ObjectView | null> {
  const view = await resource.find(context.store.engine, ref.namespace, ref.name)
  return view === null ? null : ((await resource.withLive([view]))[0] as ObjectView)
}

/** Throws SW_NOT_FOUND. */
export async function existing(write: Write): Promise<ObjectView> {
  const view = await found(write)
  if (view !== null) return view
  const { ref, resource, group } = write
  throw fail('SW_NOT_FOUND', `${resource.plural}.${group.group} "${ref.name}" not found`, {
    details: { name: ref.name, group: group.group, kind: resource.plural },
  })
}
