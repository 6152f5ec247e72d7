import { type JsonObject, valueAt } from '../../lib/json.ts'
import { driftMode } from '../kinds/agent.ts'
import type { ReconcileContext } from '../runtime/reconciler.ts'
import type { DriftSource } from './ports.ts'

const NAME = 'replicas'

/**
 * Processes of an agent that ended and are not brought back, because its `driftMode` is `warn`. Enforcing starts them, once;
 * adopting proposes the number that is left. What is marked
 * as being enforced is started by the reconcile of the agent itself.
 */
export function replicaDrift(isEnforcing: (uid: string, source: string) => boolean): DriftSource {
  return {
    name: NAME,
    find(context) {
      const { object, spec, suspended, fields } = context
      if (object.kind !== 'Agent' || driftMode(object) !== 'warn' || suspended || object.deleting) return []
      if (!isDaemon(spec) || !Array.isArray(fields['instances'])) return []
      const live = fields['instances'].length
      const declared = Number(spec['replicas'])
      if (live >= declared || (isStarting(context, live) && !isEnforcing(object.uid, NAME))) return []
      const detail = `${live} of ${declared} instances run, and driftMode is warn: nothing is started`
      return [{ field: '/spec/replicas', live, declared, detail, by: null }]
    },
    adoption: (_object, { live }) => ({ edits: [{ field: 'replicas', value: live }] }),
  }
}

function isDaemon(spec: JsonObject): boolean {
  return ['process', 'pod'].some((runtime) => valueAt(spec, `/runtime/${runtime}/mode`) === 'daemon')
}

/** Some were started and have not reported yet: then it is too early to say that one is missing. */
function isStarting({ conditions, fields }: ReconcileContext, live: number): boolean {
  return conditions.get('Healthy')?.reason === 'Starting' && (live === 0 || fields['readyReplicas'] !== live)
}
