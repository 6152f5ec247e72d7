import type { EventName } from '../../events/catalogue.ts'
import { keyOf } from '../../kinds/resource.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { NewEvent } from '../../store/ports.ts'
import type { PolicyVersionRow } from '../../store/queries/policies.ts'
import type { World, WorldObject } from '../world.ts'
import type { AcceptRequest } from './accept-request.ts'

/** What an accepted revision makes of policies: versions that are in force from its commit on, and what the log tells. */
export interface PolicyChanges {
  readonly versions: readonly PolicyVersionRow[]
  readonly events: readonly NewEvent[]
}

/**
 * An edit of a policy is a new version of it: the generation of the object, which counts the edits of its spec. A version
 * that was in force never changes.
 */
export function policyChanges(
  objects: readonly WorldObject[],
  before: World,
  request: AcceptRequest,
  now: Date,
): PolicyChanges {
  const policies = objects.filter((object) => {
    const known = before.get(keyOf(object))
    return object.kind === 'Policy' && (object.deleting || known?.generation !== object.generation)
  })
  return {
    versions: policies
      .filter(({ deleting }) => !deleting)
      .map((object) => policyVersionRow(object, request.actor, now)),
    events: policies.map((object) => policyEvent(object, request, now)),
  }
}

/** A version of a policy as it is kept. */
export function policyVersionRow(object: WorldObject, actor: string, now: Date): PolicyVersionRow {
  return {
    uid: object.uid,
    version: object.generation,
    namespace: object.namespace,
    name: object.name,
    digest: object.specDigest,
    spec: object.spec,
    revision: object.lastAppliedRevision,
    activated_at: now,
    activated_by: actor,
  }
}

function policyEvent(object: WorldObject, request: AcceptRequest, now: Date): NewEvent {
  return {
    event_id: uuidv7(now.getTime()),
    event_name: (object.deleting ? 'stateward.policy.deprecated' : 'stateward.policy.activated') satisfies EventName,
    occurred_at: now,
    env_id: object.namespace,
    actor: request.actor,
    correlation_id: request.correlationId,
    resource: { type: 'Policy', id: object.uid },
    data: {
      namespace: object.namespace,
      name: object.name,
      version: object.generation,
      digest: object.specDigest,
      revision: request.revision.commit,
    },
  }
}
