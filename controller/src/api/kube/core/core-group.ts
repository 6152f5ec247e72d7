import type { ServedGroup, ServedResource } from '../served-resource.ts'
import { eventResource } from './event-resource.ts'
import { namespaceResource } from './namespace-resource.ts'
import { podResource } from './pod-resource.ts'

/** What kubectl reads of the core group while it shows something else. */
export function coreGroup(agents: ServedResource, now: () => Date): ServedGroup {
  return { group: '', version: 'v1', resources: [namespaceResource, eventResource(now), podResource(agents)] }
}
