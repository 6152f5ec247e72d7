import type { Condition, Reason } from '../../kinds/conditions.ts'
import { REASONS } from '../../kinds/conditions.ts'
import { API_VERSION } from '../../kinds/definition.ts'
import { RUN } from '../../kinds/record-kinds.ts'
import type { ObjectView } from '../../kinds/resource.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { ChildRun } from '../../store/queries/child-runs.ts'
import { pageRunsByName, type RunReadRow, runsById, runsByReference } from '../../store/queries/runs-read.ts'
import type { ServedResource } from './served-resource.ts'

const SHORTEST_PREFIX = 4

/** Runs in the same envelope as declared objects, from the runs' own table. A run is found by a unique beginning, too. */
export const runResource: ServedResource = {
  ...RUN,
  // Annotations that decide gates.
  verbs: ['get', 'list', 'watch', 'patch'],
  page: async (sql, page) => (await pageRunsByName(sql, page)).map(runView),
  fixed: async () => [],
  async find(sql, namespace, name) {
    const found = await runsByReference(sql, { text: name, namespace, limit: 2 })
    const exact = found.find((run) => run.exact)
    if (exact !== undefined) return runView(exact)
    return found.length === 1 && name.length >= SHORTEST_PREFIX ? runView(found[0]!) : null
  },
  byId: async (sql, ids) => (await runsById(sql, ids)).map(runView),
  subjectOf: (event) =>
    event.run_id === null
      ? null
      : { id: event.run_id, change: event.event_name === 'stateward.run.created' ? 'created' : 'changed' },
  lastView: (event) => {
    throw fail('SW_INTERNAL', `event ${event.event_name} does not delete a run`)
  },
  withLive: async (views) => views,
}

function runView(run: RunReadRow): ObjectView {
  return {
    apiVersion: API_VERSION,
    kind: 'Run',
    metadata: {
      name: run.name,
      namespace: run.namespace,
      uid: run.run_id,
      generation: 1,
      resourceVersion: String(run.seq),
      creationTimestamp: run.created_at.toISOString(),
      labels: run.blueprint === '' ? {} : { 'stateward.dev/blueprint': run.blueprint },
    },
    spec: {
      ...(run.blueprint === '' ? {} : { blueprintRef: { name: run.blueprint } }),
      inputs: run.inputs,
      priority: run.priority,
      revision: run.revision,
      planDigest: run.plan_digest,
    },
    status: {
      observedGeneration: 1,
      phase: run.status,
      trigger: run.trigger,
      actor: run.actor,
      correlationId: run.correlation_id,
      ...(run.started_at === null ? {} : { startTime: run.started_at.toISOString() }),
      ...(run.completed_at === null ? {} : { completionTime: run.completed_at.toISOString() }),
      ...(run.deadline === null ? {} : { deadline: run.deadline.toISOString() }),
      ...(run.outputs === null ? {} : { outputs: run.outputs }),
      ...(run.error === null ? {} : { error: run.error }),
      ...(run.parent_run === null ? {} : { parent: { runId: run.parent_run, kind: run.parent_kind } }),
      ...(run.children.length === 0 ? {} : { children: run.children.map(childView) }),
      conditions: [succeeded(run)],
    },
  }
}

/** A run that goes on from this one, or undoes it; what cannot be undone is named. */
function childView({ name, parent_kind, status, inputs }: ChildRun): JsonObject {
  const child = { name, kind: parent_kind, phase: status }
  return parent_kind === 'retry' ? child : { ...child, undo: inputs['undo']!, notUndone: inputs['not_undone']! }
}

/** Condition `Succeeded`: Unknown while it goes on (and why it waits), then True or False. */
function succeeded(run: RunReadRow): Condition {
  const since = run.completed_at ?? run.started_at ?? run.created_at
  const base = { type: 'Succeeded', observedGeneration: 1, lastTransitionTime: since.toISOString() }
  switch (run.status) {
    case 'completed':
      return { ...base, status: 'True', reason: 'Succeeded', message: 'the run completed' }
    case 'failed':
      return { ...base, status: 'False', reason: 'Failed', message: String(run.error?.['message'] ?? 'the run failed') }
    case 'cancelled':
      return {
        ...base,
        status: 'False',
        reason: 'Stopped',
        message: String(run.error?.['message'] ?? 'the run was cancelled'),
      }
    case 'created':
    case 'running': {
      const reason = String(run.condition?.['reason'] ?? '')
      const message = String(
        run.condition?.['message'] ?? (run.status === 'created' ? 'waiting for a worker' : 'steps are running'),
      )
      return { ...base, status: 'Unknown', reason: isReason(reason) ? reason : 'Progressing', message }
    }
  }
}

function isReason(word: string): word is Reason {
  return Object.hasOwn(REASONS, word)
}
