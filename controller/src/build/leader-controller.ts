import type { ProposalVerbs } from '../api/ports/proposals.ts'
import { keyOf, type ObjectKey } from '../kinds/resource.ts'
import { parseDuration } from '../lib/duration.ts'
import { CONTROLLER_LEASE, Controller } from '../reconcile/controller.ts'
import type { DriftKeeper } from '../reconcile/drift/keeper.ts'
import type { SourceSync } from '../reconcile/sync/source-sync.ts'
import type { World } from '../reconcile/world.ts'
import type { LongRuns } from '../runs/long-runs.ts'
import type { AcceptedBlueprint } from '../runs/ports.ts'
import { builtinToolSchema } from '../tools/builtins.ts'
import { budgetDeps } from './budgets.ts'
import { type ClusterWriting, clusterState } from './cluster.ts'
import type { Core } from './core.ts'
import { controllerId } from './data-folder.ts'
import type { Intake } from './intake.ts'
import { judgedPods } from './judged-pods.ts'
import { kindReconcilers } from './kind-reconcilers.ts'
import { logSync } from './log-sync.ts'
import { FoundTools, mcpServerDeps } from './mcp.ts'
import { approvalDeps } from './merged-decisions.ts'
import { controllerMetrics } from './metrics.ts'
import { modelAgentDeps } from './model-agents.ts'
import { modelReconcilerDeps } from './model-reconcilers.ts'
import type { ProposingDeps } from './object-proposals.ts'
import type { OpenSource } from './source.ts'
import { SOURCE_NAME } from './state-repo.ts'
import { type StatusPublishing, statusPublishing } from './status-publishing.ts'

const RESYNC_MS = 600_000
const WORKERS = 32

/** Publishes the status as commits and notes of the source; `changed`: it could not, or can again. */
export function publisher(core: Core, source: OpenSource, sync: SourceSync, changed: () => void): StatusPublishing {
  const { store, world, config, folder } = core
  const options = {
    store,
    world,
    sync: () => sync,
    source,
    lease: CONTROLLER_LEASE,
    controllerId: controllerId(folder),
    interval: config.statusInterval,
    environment: 'default',
  }
  return statusPublishing(options, changed)
}

/** The controller with its reconcilers; nothing runs before it is started. */
export function makeController(
  core: Core,
  parts: {
    readonly source: OpenSource
    readonly sync: SourceSync
    readonly accepted: Map<string, AcceptedBlueprint>
    readonly intake: Intake
    readonly publishing: StatusPublishing
    /** Null where no custom resources are read. */
    readonly cluster: ClusterWriting | null
    readonly drift: DriftKeeper
    readonly longRuns: LongRuns
    readonly proposals: () => Pick<ProposalVerbs, 'set'>
    readonly proposing: () => ProposingDeps
  },
): Controller {
  const { store, world, config, log, metrics } = core
  const { source, sync, accepted, intake, longRuns, publishing, cluster, drift } = parts
  const found = new FoundTools()
  const controller: Controller = new Controller({
    store,
    world,
    source: source.source,
    sync,
    reconcilers: kindReconcilers({
      store,
      world,
      source,
      sync: () => sync,
      agents: core.parts.agents!,
      models: modelReconcilerDeps(core),
      modelAgents: modelAgentDeps(core, source),
      accepted,
      builtinToolSchema,
      cluster: cluster === null ? null : () => clusterState(cluster),
      statusProblem: () => publishing.writer?.problem ?? null,
      verifies: config.verify.mode === 'head',
      heldBack: intake.heldBack,
      longRuns,
      budgets: budgetDeps(store, parts.proposals),
      approvals: approvalDeps({ store, source, environmentOf: core.environments, nudge: core.announce.run }),
      blueprintsChanged: () => intake.nudge(),
      secrets: core.secrets,
      mcpServers: mcpServerDeps({
        ...{ store, world, connections: core.mcp, found, proposing: parts.proposing },
        wake: (keys) => {
          for (const key of keys) controller.enqueue(key as ObjectKey)
        },
      }),
      tools: {
        offered: found.offered,
        lookAgain: (namespace, name) => controller.enqueue(keyOf({ kind: 'McpServer', namespace, name })),
      },
      drift,
    }),
    drift,
    log,
    metrics: controllerMetrics(metrics),
    resyncMs: RESYNC_MS,
    podsOf: (agentUid) => judgedPods(core.parts.agents!.podsOf(agentUid)),
    pollMs: () => parseDuration(config.interval),
    workers: WORKERS,
    onAccepted({ sync: row, changed }) {
      logSync(log, row)
      publishing.note(row)
      cluster?.touch([...changed, ...sync.state.issuesOf.keys(), ...(sync.state.plan?.pending ?? [])])
    },
    onStatus(keys) {
      publishing.writer?.touch()
      cluster?.touch(keys)
    },
    onGone: (key) => cluster?.touch([key]),
  })
  return controller
}

/** What the Source object says; before it is accepted, the source is enforced. */
export function sourceMode(world: World): 'enforce' | 'observe' | 'suspended' {
  const object = world.get(`Source/${SOURCE_NAME}`)
  if (object === undefined) return 'enforce'
  const spec = world.effective(object)
  if (spec['suspend'] === true) return 'suspended'
  return spec['mode'] === 'observe' ? 'observe' : 'enforce'
}
