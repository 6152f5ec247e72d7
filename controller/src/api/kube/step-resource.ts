import { API_VERSION } from '../../kinds/definition.ts'
import { STEP } from '../../kinds/record-kinds.ts'
import type { ObjectView } from '../../kinds/resource.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { messageOfStep, type ServedStepRow, servedSteps } from '../../store/queries/served-steps.ts'
import type { ServedResource } from './served-resource.ts'

const RUN_LABEL = 'stateward.dev/run'
/** Steps of runs that go on; one run, named by its label, is shown whole. */
const MOST = 20_000

/** Steps that have a row, named `<run>.<path>`: those of runs that go on, or `-l stateward.dev/run=<run>`. */
export const stepResource: ServedResource = {
  ...STEP,
  isInfrastructure: true,
  async page(sql, { namespace, name, after, labels }) {
    // One page: there are never more.
    if (after !== null) return []
    const run = labels?.[RUN_LABEL] ?? (name === null ? undefined : runOf(name))
    const rows = await servedSteps(
      sql,
      run === undefined ? { namespace, limit: MOST } : { run: { namespace, name: run } },
    )
    return rows.map(stepView).filter((view) => name === null || view.metadata.name === name)
  },
  fixed: async () => [],
  async find(sql, namespace, name) {
    const rows = await servedSteps(sql, { run: { namespace, name: runOf(name) } })
    return rows.map(stepView).find((view) => view.metadata.name === name) ?? null
  },
  byId: async (sql, ids) => (await servedSteps(sql, { ids })).map(stepView),
  subjectOf: ({ step_id: id, event_name: name }) =>
    id === null ? null : { id, change: name === 'stateward.run.step.started' ? 'created' : 'changed' },
  lastView: (event) => {
    throw fail('SW_INTERNAL', `event ${event.event_name} does not delete a step`)
  },
  withLive: async (views) => views,
}

/** The name of a run ends with six characters behind a dash; what follows is the path. */
function runOf(name: string): string {
  return /^(.*?-[a-z0-9]{6})\./.exec(name)?.[1] ?? name
}

function stepView(step: ServedStepRow): ObjectView {
  const message = messageOfStep(step)
  return {
    apiVersion: API_VERSION,
    kind: 'Step',
    metadata: {
      name: `${step.run}.${step.path}`,
      namespace: step.namespace,
      uid: step.step_id,
      generation: 1,
      resourceVersion: '0',
      creationTimestamp: (step.started_at ?? step.run_created_at).toISOString(),
      labels: { [RUN_LABEL]: step.run },
    },
    spec: { runRef: { name: step.run }, path: step.path, kind: step.kind },
    status: {
      phase: step.status,
      attempt: step.attempt,
      ...(message === '' ? {} : { message }),
      ...(step.started_at === null ? {} : { startTime: step.started_at.toISOString() }),
      ...(step.completed_at === null ? {} : { completionTime: step.completed_at.toISOString() }),
      ...(step.next_attempt_at === null ? {} : { nextAttemptTime: step.next_attempt_at.toISOString() }),
      ...(step.error === null ? {} : { error: step.error }),
    },
  }
}
