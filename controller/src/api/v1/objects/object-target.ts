import Type, { type Static } from 'typebox'
import type { ObjectRef } from '../../../kinds/resource.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { findObject } from '../../../store/queries/objects-read.ts'
import type { ApiContext } from '../../context.ts'
import { resolveKind } from '../../kind-names.ts'
import { Name } from '../schemas.ts'

export const ObjectTarget = {
  kind: Type.String({ minLength: 1, maxLength: 63, description: 'kind, plural, singular or short name' }),
  namespace: Type.Optional(Name),
  name: Type.String({ minLength: 1, maxLength: 253 }),
}

export const Target = Type.Object(
  { kind: Type.String(), namespace: Type.String(), name: Type.String() },
  { title: 'ObjectTarget' },
)

/** The object a body names; throws SW_NOT_FOUND for a kind or an object that is not there. */
export async function targetOf(
  context: ApiContext,
  body: Static<Type.TObject<typeof ObjectTarget>>,
): Promise<ObjectRef> {
  const kind = resolveKind(context.kinds, body.kind)
  if (kind === null) {
    throw fail('SW_NOT_FOUND', `there is no kind "${body.kind}"`, {
      remedy: `use one of ${context.kinds.map((each) => each.singular).join(', ')}`,
    })
  }
  const namespace = kind.scope === 'Cluster' ? '' : (body.namespace ?? 'default')
  const row = await findObject(context.store.reader, { kind: kind.kind, namespace, name: body.name })
  if (row === null)
    throw fail(
      'SW_NOT_FOUND',
      `there is no ${kind.singular} "${body.name}"${namespace === '' ? '' : ` in namespace ${namespace}`}`,
    )
  return { kind: row.kind, namespace: row.namespace, name: row.name }
}
