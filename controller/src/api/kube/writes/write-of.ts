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
  if (resource === undefined || (resource.scope === 'Namespaced') !== (namespace !== '')) throw unwritable(verb, plural)
  // Of a deletion it stands in the body.
  const inBody = isObject(request.body) ? request.body['dryRun'] : undefined
  const dryRun = request.query.dryRun ?? (Array.isArray(inBody) ? String(inBody[0]) : undefined)
  if (dryRun !== undefined && dryRun !== '' && dryRun !== 'All') throw fail('SW_BAD_REQUEST', 'dryRun can only be All')
  const sent = isObject(request.body) && isObject(request.body['metadata']) ? request.body['metadata']['name'] : null
  const ref = { kind: resource.kind, namespace, name: name ?? (typeof sent === 'string' ? sent : '') }
  return { context, group, resource, ref, request: request as FastifyRequest, reply, dryRun: dryRun === 'All' }
}

/** What does in their place what is asked for of records. */
const INSTEAD: Readonly<Record<string, string>> = {
  'delete runs': 'stateward cancel <run> ends one',
  'create runs': 'stateward run <blueprint> starts one',
  'delete tasks': 'stateward cancel <run> ends its run',
  'delete proposals': 'stateward proposals reject <proposal> closes one',
}

function unwritable(verb: string, plural: string): Error {
  const remedy = INSTEAD[`${verb} ${plural}`]
  return fail('SW_METHOD_NOT_ALLOWED', `${plural} cannot be written here`, remedy === undefined ? {} : { remedy })
}

/** Nothing in the state repo: built in, or a machine that joined. */
async function isUndeclared({ resource, ref }: Write, { metadata }: ObjectView): Promise<boolean> {
  return (await resource.fixed(ref.namespace)).some((view) => view.metadata.uid === metadata.uid)
}

/** The object as it is declared; null when there is none, or it is there by itself. */
export async function declared(write: Write): Promise<ObjectView | null> {
  const view = await found(write)
  return view === null || (await isUndeclared(write, view)) ? null : view
}

async function found({ context, resource, ref }: Write): Promise<ObjectView | null> {
  const view = await resource.find(context.store.engine, ref.namespace, ref.name)
  return view === null ? null : ((await resource.withLive([view]))[0] as ObjectView)
}

/** Throws SW_NOT_FOUND, and SW_METHOD_NOT_ALLOWED for what nobody declared. */
export async function existing(write: Write): Promise<ObjectView> {
  const view = await found(write)
  const { ref, resource, group } = write
  if (view !== null && (await isUndeclared(write, view)))
    throw fail(
      'SW_METHOD_NOT_ALLOWED',
      `${resource.plural}.${group.group} "${ref.name}" is there by itself, and not in the state repo`,
      { remedy: `kubectl create makes a ${resource.kind} of that name, which takes its place` },
    )
  if (view !== null) return view
  throw fail('SW_NOT_FOUND', `${resource.plural}.${group.group} "${ref.name}" not found`, {
    details: { name: ref.name, group: group.group, kind: resource.plural },
  })
}
