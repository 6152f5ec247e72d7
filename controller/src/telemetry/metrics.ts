import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** The work queue of the controller, in the words client-go uses, so that existing dashboards and alerts fit. */
export interface QueueMetrics {
  /** Keys waiting now. */
  depth(queue: string, keys: number): void
  added(queue: string): void
  retried(queue: string): void
  /** A key was taken: how long it waited. */
  taken(queue: string, waitedSeconds: number): void
  /** A key is done: how long the work took. */
  done(queue: string, workSeconds: number): void
}

/** Reconciles, in the words controller-runtime uses; `controller` is the kind in lower case. */
export interface ReconcileMetrics {
  reconciled(
    controller: string,
    result: 'success' | 'requeue' | 'requeue_after' | 'stalled' | 'error',
    seconds: number,
  ): void
}

/** What only Stateward has. Labels are bounded: never an object's name. */
export interface StatewardMetrics {
  leader(isLeader: boolean): void
  synced(outcome: 'applied' | 'partial' | 'refused' | 'observed', seconds: number): void
  objects(kind: string, ready: number, notReady: number): void
  logHead(seq: number): void
  /** A transition of a run is durable: how long that took. */
  journaled(seconds: number): void
  runEnded(status: 'completed' | 'failed' | 'cancelled', seconds: number): void
  stepEnded(kind: string, status: 'completed' | 'failed' | 'skipped', seconds: number): void
  /** Processes on this database with a role, and runs: moved by any of them, by this one, free and due. */
  processes(role: string, count: number): void
  runs(state: 'owned' | 'owned_here' | 'due', count: number): void
  agentInstances(state: 'starting' | 'running' | 'stopping', instances: number): void
  agents(health: string, count: number): void
  /** Tasks that have not ended. */
  openTasks(state: 'queued' | 'leased', count: number): void
  /** A model was asked. */
  modelCalled(type: string, of: 'local' | 'cloud', outcome: 'completed' | 'failed', seconds: number): void
  modelTokens(of: 'local' | 'cloud', direction: 'input' | 'output', count: number): void
  /** A backend did not answer. */
  modelFellBack(cause: string): void
  httpAnswered(method: string, route: string, status: number, seconds: number): void
  streams(kind: 'sse' | 'watch', open: number): void
  streamDropped(kind: 'sse' | 'watch'): void
}

export interface Metrics {
  readonly queue: QueueMetrics
  readonly reconcile: ReconcileMetrics
  readonly stateward: StatewardMetrics
  readonly contentType: string
  /** The Prometheus text of `/metrics`. */
  text(): Promise<string>
}

/** A registry of its own for each call: nothing is global, so two servers in one process do not mix. */
export function createMetrics(options: { readonly version: string; readonly processMetrics?: boolean }): Metrics {
  const registry = new Registry()
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'stateward_build_info',
    help: 'Always 1; the label holds the version.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version: options.version }, 1)
  return {
    queue: queueMetrics(registry),
    reconcile: reconcileMetrics(registry),
    stateward: statewardMetrics(registry),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  }
}

type Family = { readonly name: string; readonly help: string; readonly labels?: readonly string[] }

function counter(registry: Registry, { name, help, labels = [] }: Family): Counter {
  return new Counter({ name, help, labelNames: [...labels], registers: [registry] })
}

function gauge(registry: Registry, { name, help, labels = [] }: Family): Gauge {
  return new Gauge({ name, help, labelNames: [...labels], registers: [registry] })
}

function histogram(registry: Registry, { name, help, labels = [] }: Family, buckets: number[] = SECONDS): Histogram {
  return new Histogram({ name, help, labelNames: [...labels], buckets, registers: [registry] })
}

function queueMetrics(registry: Registry): QueueMetrics {
  const labels = ['name']
  const depth = gauge(registry, { name: 'workqueue_depth', help: 'Current depth of the queue.', labels })
  const adds = counter(registry, { name: 'workqueue_adds_total', help: 'Keys added.', labels })
  const retries = counter(registry, {
    name: 'workqueue_retries_total',
    help: 'Keys added again after a failure.',
    labels,
  })
  const queued = histogram(registry, {
    name: 'workqueue_queue_duration_seconds',
    help: 'How long a key waited.',
    labels,
  })
  const worked = histogram(registry, {
    name: 'workqueue_work_duration_seconds',
    help: 'How long the work on a key took.',
    labels,
  })
  return {
    depth: (name, keys) => depth.set({ name }, keys),
    added: (name) => adds.inc({ name }),
    retried: (name) => retries.inc({ name }),
    taken: (name, seconds) => queued.observe({ name }, seconds),
    done: (name, seconds) => worked.observe({ name }, seconds),
  }
}

function reconcileMetrics(registry: Registry): ReconcileMetrics {
  const total = counter(registry, {
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciles by result.',
    labels: ['controller', 'result'],
  })
  const errors = counter(registry, {
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Reconciles that threw.',
    labels: ['controller'],
  })
  const time = histogram(registry, {
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Time of one reconcile.',
    labels: ['controller'],
  })
  return {
    reconciled(controller, result, seconds) {
      total.inc({ controller, result })
      if (result === 'error') errors.inc({ controller })
      time.observe({ controller }, seconds)
    },
  }
}

function statewardMetrics(registry: Registry): StatewardMetrics {
  const leader = gauge(registry, { name: 'stateward_leader', help: '1 while this process leads.' })
  const synced = histogram(registry, {
    name: 'stateward_sync_duration_seconds',
    help: 'From the moved ref to the accepted revision.',
    labels: ['outcome'],
  })
  const objects = gauge(registry, { name: 'stateward_objects', help: 'Declared objects.', labels: ['kind', 'ready'] })
  const head = gauge(registry, { name: 'stateward_log_seq', help: 'Number of the newest event.' })
  const journal = histogram(registry, {
    name: 'stateward_journal_commit_seconds',
    help: 'From a transition of a run until it is durable.',
  })
  const runs = histogram(registry, { name: 'stateward_run_duration_seconds', help: 'Ended runs.', labels: ['status'] })
  const steps = histogram(registry, {
    name: 'stateward_step_duration_seconds',
    help: 'Ended steps.',
    labels: ['kind', 'status'],
  })
  const instances = gauge(registry, {
    name: 'stateward_agent_instances',
    help: 'Processes of agents.',
    labels: ['state'],
  })
  const agents = gauge(registry, {
    name: 'stateward_agents',
    help: 'Agents, by how they stand.',
    labels: ['health'],
  })
  const tasks = gauge(registry, {
    name: 'stateward_tasks_open',
    help: 'Tasks that wait for an instance, or that one works on.',
    labels: ['state'],
  })
  const processes = gauge(registry, {
    name: 'stateward_processes',
    help: 'Processes on this database.',
    labels: ['role'],
  })
  const open = gauge(registry, {
    name: 'stateward_open_runs',
    help: 'Runs that are moved by any process (owned), by this one (owned_here), or that nobody has come to (due).',
    labels: ['state'],
  })
  const models = histogram(registry, {
    name: 'stateward_model_call_duration_seconds',
    help: 'Calls of models.',
    labels: ['type', 'class', 'outcome'],
  })
  const modelTokens = counter(registry, {
    name: 'stateward_model_tokens_total',
    help: 'Tokens that models read and wrote.',
    labels: ['class', 'direction'],
  })
  const fallbacks = counter(registry, {
    name: 'stateward_model_fallbacks_total',
    help: 'Backends that did not answer.',
    labels: ['cause'],
  })
  const http = histogram(registry, {
    name: 'stateward_http_request_duration_seconds',
    help: 'Answered requests.',
    labels: ['method', 'route', 'status'],
  })
  const streams = gauge(registry, {
    name: 'stateward_open_streams',
    help: 'Open event streams and watches.',
    labels: ['kind'],
  })
  const dropped = counter(registry, {
    name: 'stateward_streams_dropped_total',
    help: 'Streams closed because their reader was too slow.',
    labels: ['kind'],
  })
  return {
    modelCalled: (type, of, outcome, seconds) => models.observe({ type, class: of, outcome }, seconds),
    modelTokens: (of, direction, count) => modelTokens.inc({ class: of, direction }, count),
    modelFellBack: (cause) => fallbacks.inc({ cause }),
    leader: (isLeader) => leader.set(isLeader ? 1 : 0),
    synced: (outcome, seconds) => synced.observe({ outcome }, seconds),
    objects(kind, ready, notReady) {
      objects.set({ kind, ready: 'true' }, ready)
      objects.set({ kind, ready: 'false' }, notReady)
    },
    logHead: (seq) => head.set(seq),
    journaled: (seconds) => journal.observe(seconds),
    runEnded: (status, seconds) => runs.observe({ status }, seconds),
    stepEnded: (kind, status, seconds) => steps.observe({ kind, status }, seconds),
    processes: (role, count) => processes.set({ role }, count),
    runs: (state, count) => open.set({ state }, count),
    agentInstances: (state, count) => instances.set({ state }, count),
    agents: (health, count) => agents.set({ health }, count),
    openTasks: (state, count) => tasks.set({ state }, count),
    httpAnswered: (method, route, status, seconds) => http.observe({ method, route, status: String(status) }, seconds),
    streams: (kind, open) => streams.set({ kind }, open),
    streamDropped: (kind) => dropped.inc({ kind }),
  }
}
