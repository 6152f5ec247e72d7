import { API_VERSION } from '../../kinds/definition.ts'
import { WORKER } from '../../kinds/record-kinds.ts'
import type { ObjectView } from '../../kinds/resource.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { Executor } from '../../store/database.ts'
import { listProcesses, type ProcessRow } from '../../store/queries/processes.ts'
import type { ServedResource } from './served-resource.ts'

/**
 * The processes of the server, from the rows they hold. There are few, so every question reads them all. They change without
 * events: a watch tells nothing new.
 */
export const workerResource: ServedResource = {
  ...WORKER,
  isInfrastructure: true,
  async page(sql, { name, after, limit }) {
    const views = await all(sql)
    return views
      .filter(
        ({ metadata }) => (name === null || metadata.name === name) && (after === null || metadata.name > after.name),
      )
      .slice(0, limit)
  },
  fixed: async () => [],
  find: async (sql, _namespace, name) => (await all(sql)).find(({ metadata }) => metadata.name === name) ?? null,
  byId: async (sql, ids) => (await all(sql)).filter(({ metadata }) => ids.includes(metadata.uid)),
  subjectOf: () => null,
  lastView: (event) => {
    throw fail('SW_INTERNAL', `event ${event.event_name} is about no process`)
  },
  withLive: async (views) => views,
}

async function all(sql: Executor): Promise<ObjectView[]> {
  const views = (await listProcesses(sql)).map(workerView)
  return views.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
}

function workerView(row: ProcessRow): ObjectView {
  return {
    apiVersion: API_VERSION,
    kind: 'Worker',
    metadata: {
      name: `${row.host.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '-')}-${row.pid}`,
      uid: row.id,
      generation: 1,
      resourceVersion: String(row.seq),
      creationTimestamp: row.started_at.toISOString(),
      labels: {},
    },
    spec: { host: row.host, pid: row.pid, roles: [...row.roles], maxRuns: row.max_runs, version: row.version },
    status: {
      phase: row.lease_ms > 0 ? 'Live' : 'Expired',
      roles: row.roles.join(','),
      leads: row.leads.join(','),
      runs: row.runs,
      leaseSeconds: Math.max(0, Math.round(row.lease_ms / 1000)),
    },
  }
}
