import { API_VERSION } from '../../../kinds/definition.ts'
import type { ObjectView } from '../../../kinds/resource.ts'
import { isObject } from '../../../lib/json.ts'
import type { Executor } from '../../../store/database.ts'
import type { LoggedEvent } from '../../../store/ports.ts'
import { runResource } from '../run-resource.ts'
import type { ServedResource, ServedView, ViewPage } from '../served-resource.ts'

/** What writes a log, as `kubectl logs` knows it: each run, and each agent, is a pod of its own name. */
interface Pod extends ServedView {
  readonly spec: { readonly containers: readonly { readonly name: string; readonly image: string }[] }
  readonly status: Readonly<Record<string, unknown>>
}

/** By the phase of a run. */
const PHASES: Readonly<Record<string, string>> = {
  created: 'Pending',
  running: 'Running',
  completed: 'Succeeded',
  failed: 'Failed',
  cancelled: 'Failed',
}

/** Pods that stand for runs and agents. There are no others, and nothing can be changed about them. */
export function podResource(agents: ServedResource): ServedResource {
  const sources = [
    { resource: runResource, view: podOfRun },
    { resource: agents, view: podOfAgent },
  ]
  const inBoth = async (read: (resource: ServedResource) => Promise<readonly ServedView[]>): Promise<Pod[]> =>
    (
      await Promise.all(
        sources.map(async ({ resource, view }) => (await read(resource)).map((one) => view(one as ObjectView))),
      )
    ).flat()
  return {
    kind: 'Pod',
    plural: 'pods',
    singular: 'pod',
    shortNames: ['po'],
    scope: 'Namespaced',
    isInfrastructure: true,
    subresources: [{ name: 'log', verbs: ['get'] }],
    columns: [
      { name: 'Ready', type: 'string', jsonPath: '.status.ready', description: 'Parts that run, of all.', priority: 0 },
      { name: 'Status', type: 'string', jsonPath: '.status.phase', description: 'Where it is.', priority: 0 },
      {
        name: 'Owner',
        type: 'string',
        jsonPath: '.metadata.ownerReferences[*].kind',
        description: 'What it stands for.',
        priority: 0,
      },
      {
        name: 'Age',
        type: 'date',
        jsonPath: '.metadata.creationTimestamp',
        description: 'Since it was made.',
        priority: 0,
      },
    ],
    page: async (sql: Executor, page: ViewPage) =>
      (await inBoth((resource) => resource.page(sql, page))).sort(byPlace).slice(0, page.limit),
    fixed: async () => [],
    async find(sql, namespace, name) {
      for (const { resource, view } of sources) {
        const found = await resource.find(sql, namespace, name)
        if (found?.metadata.name === name) return view(found as ObjectView)
      }
      return null
    },
    byId: (sql, ids) => inBoth((resource) => resource.byId(sql, ids)),
    subjectOf: (event: LoggedEvent) => runResource.subjectOf(event) ?? agents.subjectOf(event),
    lastView: (event) => podOfAgent(agents.lastView(event) as ObjectView),
    withLive: async (views) => views,
  }
}

function byPlace({ metadata: a }: ServedView, { metadata: b }: ServedView): number {
  const [left, right] = [`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`]
  return left < right ? -1 : left > right ? 1 : 0
}

function podOfRun(run: ObjectView): Pod {
  const phase = PHASES[String(run.status['phase'])] ?? 'Unknown'
  return podOf(run, { container: 'run', phase, ready: phase === 'Running' ? '1/1' : '0/1' })
}

function podOfAgent(agent: ObjectView): Pod {
  const ready = Number(agent.status['readyReplicas'] ?? 0)
  const wanted = Number(agent.status['replicas'] ?? agent.spec['replicas'] ?? 1)
  return podOf(agent, { container: 'agent', phase: ready > 0 ? 'Running' : 'Pending', ready: `${ready}/${wanted}` })
}

function podOf(
  owner: ObjectView,
  { container, phase, ready }: { readonly container: string; readonly phase: string; readonly ready: string },
): Pod {
  const { name, namespace, uid, resourceVersion, creationTimestamp, labels } = owner.metadata
  const startTime = isObject(owner.status) ? owner.status['startTime'] : undefined
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name, uid, resourceVersion, creationTimestamp },
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...labels, [`stateward.dev/${owner.kind.toLowerCase()}`]: name },
      ownerReferences: [{ apiVersion: API_VERSION, kind: owner.kind, name, uid, controller: true }],
    } as Pod['metadata'],
    spec: { containers: [{ name: container, image: 'stateward.dev/virtual' }] },
    status: { phase, ready, ...(startTime === undefined ? {} : { startTime }) },
  }
}
