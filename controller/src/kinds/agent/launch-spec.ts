import type { JsonObject } from '../../lib/json.ts'

/** Fields that an instance which runs already goes on with: how many there are, how they are tended, words for people. */
const ADJUSTABLE = new Set([
  'autonomy',
  'breaker',
  'constraints',
  'dependsOn',
  'description',
  'displayName',
  'goal',
  'keepWorkspace',
  'replicas',
  'requireApproval',
  'restartPolicy',
  'suspend',
  'suspendUntil',
  'terminationGracePeriodSeconds',
  'workspace',
])

/** What an instance of an agent is started with: a change of anything in it replaces those that run. */
export function launchSpec(spec: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(spec).filter(([field]) => !ADJUSTABLE.has(field)))
}
