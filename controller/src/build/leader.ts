import { readFile } from 'node:fs/promises'
import type { Caller } from '../api/caller.ts'
import { HostWatch } from '../hosts/watch.ts'
import { keyOf, type ObjectKey } from '../kinds/resource.ts'
import { atMost } from '../lib/at-most.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { Proposals } from '../proposals/proposals.ts'
import type { Controller } from '../reconcile/controller.ts'
import { SourceSync } from '../reconcile/sync/source-sync.ts'
import { watchLongRuns } from '../runs/long-runs.ts'
import type { AcceptedBlueprint } from '../runs/ports.ts'
import type { ClusterMirror } from '../source/cluster/cluster-mirror.ts'
import { tryAcquireLease } from '../store/leases.ts'
import { changeApprovalsOf } from '../store/queries/change-approvals.ts'
import { thisMachine } from '../telemetry/machine.ts'
import { builtinToolRisk, builtinToolSchema } from '../tools/builtins.ts'
import { createSettling } from '../work/settling.ts'
import { approvalVerbs } from './approval-verbs.ts'
import { terminations } from './breakers.ts'
import { builtinObjects, LOCAL_HOST } from './builtin-objects.ts'
import { changeGovernor } from './change-governor.ts'
import { clusterSource, clusterWriting, openClusterMirror, withCluster } from './cluster.ts'
import { commitVerifier } from './commit-verifier.ts'
import type { Core } from './core.ts'
import { draftsLanded, draftVerbs } from './draft-verbs.ts'
import { driftKeeper, driftVerbs } from './drift.ts'
import { fleetVerbs } from './freeze.ts'
import { FreezeRef } from './freeze-ref.ts'
import { gitServer } from './git-server.ts'
import { endWithHost, hostSpecOf } from './hosts.ts'
import { makeIntake } from './intake.ts'
import { interventionVerbs } from './intervention-verbs.ts'
import { makeController, publisher, sourceMode } from './leader-controller.ts'
import { leaderJanitor } from './leader-janitor.ts'
import { LeaderRequests } from './leader-requests.ts'
import type { LeaderVerbs } from './leader-verbs.ts'
import { logWatchers } from './log-watchers.ts'
import { mcpServerVerbs } from './mcp.ts'
import { mcpLoginVerbs, oauthParts } from './mcp-logins.ts'
import { gateProposals } from './merged-decisions.ts'
import { objectVerbs, sourceVerbs } from './object-verbs.ts'
import { PARSE_OPTIONS, pointerInFile } from './parse-options.ts'
import type { Leader } from './parts.ts'
import { peopleOf } from './people.ts'
import { proposalVerbs } from './proposal-verbs.ts'
import { forgePublisher, proposalDesk, proposalsOf } from './proposals.ts'
import { repositoryReads } from './repository-reads.ts'
import { ensureSigningKey, withSigning } from './signing-key.ts'
import { directorySource, gitSource, type OpenSource } from './source.ts'
import { spawnVerbs } from './spawn-agents.ts'
import { SpawnKeeper } from './spawn-keeper.ts'
import { openStateRepo, SOURCE_NAME } from './state-repo.ts'
import { makeTraces } from './traces.ts'
import { policyEnvironmentOf, quotaOf } from './world-views.ts'

/** How long a start waits for all objects to be looked at; those of a large fleet go on after it. */
const SETTLE_MS = 30_000

/** The lease of the process that supervises the agents of a host. */
const hostLease = (host: string): string => `host/${host}`

/** The leader's parts, made when the lease is this process's; nothing runs before `start`. */
export async function makeLeader(
  core: Core,
  directory: string | null,
  accepted: Map<string, AcceptedBlueprint>,
): Promise<Leader> {
  const { config, store, world, folder, clock, log, metrics } = core
  const mirror = await openClusterMirror(core)
  const opened = await openSource(core, directory, mirror)
  const key = config.verify.mode === 'head' ? await ensureSigningKey(folder.root, core.environment) : null
  const source = key === null ? opened : withSigning(opened, `refs/heads/${config.ref}`, key)
  const people = peopleOf(world)
  const verifier = commitVerifier({
    ...{ world, log, repository: source.repository, mode: config.verify.mode, ownKey: key?.publicKey ?? null },
    identities: () => people.identities(),
    configured: config.verify.allowedSigners === null ? '' : await readFile(config.verify.allowedSigners, 'utf8'),
  })
  const governor = changeGovernor({
    ...{ clock, world, people, repository: source.repository, path: config.path },
    saidOf: (changes) => changeApprovalsOf(store.reader, changes),
    merges: config.approvals.merges,
    signer: (commit) => verifier.signer(commit),
    evaluate: (request) => core.policies.engine.evaluate(request),
    rowOf: (request, correlationId) => core.policies.engine.ask(request, { correlationId }).row,
    hasPolicies: () => core.policies.engine.asks(null) || core.policies.windows() !== null,
    waitFor: (change) => core.policies.windows()?.waitFor(change, clock.now())?.message ?? null,
    environmentOf: policyEnvironmentOf(world),
  })
  const sync = new SourceSync({
    store,
    world,
    source: source.source,
    parse: PARSE_OPTIONS,
    pointerInFile,
    deletionLimit: config.deletionLimit,
    builtin: builtinObjects(config, directory, mirror?.client.server ?? null),
    builtinToolSchema,
    builtinToolRisk,
    governor,
    verify: (revision, applied) => verifier.verify(revision, applied),
    mode: () => sourceMode(world),
    log,
  })
  const intake = makeIntake(core, accepted, (key) => controller.enqueue(key))
  const drift = driftKeeper({
    ...{ store, world, source, agents: core.parts.agents! },
    async lockTools(server, caller) {
      const { branch, commit } = await verbs.mcpServers.lock(server, caller)
      return commit === null ? null : { branch, commit }
    },
    proposeUpdate: (ref, patch, caller) => verbs.proposals.update(ref, patch, { reason: null, merge: false }, caller),
  })
  const longRuns = watchLongRuns(store, (uid) => {
    const blueprint = accepted.get(uid)
    if (blueprint !== undefined) controller.enqueue(keyOf({ kind: 'Blueprint', ...blueprint }))
  })
  const publishing = publisher(core, source, sync, () => controller.enqueue(`Source/${SOURCE_NAME}`))
  const cluster =
    mirror === null
      ? null
      : clusterWriting(
          core,
          mirror,
          () => sync,
          () => controller.enqueue(`Source/${SOURCE_NAME}`),
        )
  const controller: Controller = makeController(core, {
    ...{ source, sync, cluster, accepted, intake, longRuns, publishing, drift },
    proposals: () => verbs.proposals,
    proposing: () => target,
  })
  const janitor = leaderJanitor(core)
  const drafting = {
    ...{ core, source, proposals: () => proposals },
    merge: (id: string, caller: Caller) => verbs.proposals.merge(id, caller),
  }
  const proposals: Proposals | null = proposalsOf(core, source, governor, {
    afterLook: draftsLanded(drafting),
    landed: () => void source.refresh(),
    onLooked: () => forge?.nudge(),
    applied: () => sync.state.sync?.to_revision ?? null,
  })
  const forge = forgePublisher(core, source, people)
  const target = { store, world, controller, source, proposals, ref: `refs/heads/${config.ref}`, path: config.path }
  const interventions = interventionVerbs({ ...target, wake: core.announce.task })
  const verbDeps = { ...target, sync, resumeAgent: interventions.resumeAgent }
  const quota = quotaOf(world)
  const spawnDeps = {
    ...{ store, world },
    quota: (namespace: string) => quota(namespace, 'spawnedAgents'),
    enqueue: (key: ObjectKey) => controller.enqueue(key),
    taskQueued: core.announce.task,
    nudgeRun: core.announce.run,
  }
  const verbs: LeaderVerbs = {
    objects: objectVerbs(verbDeps),
    sources: sourceVerbs(verbDeps),
    proposals: {
      ...proposalVerbs(verbDeps),
      ...proposalDesk(proposals, { store, people, refresh: () => source.refresh() }),
    },
    drafts: draftVerbs(drafting),
    approvals: approvalVerbs({
      ...{ store, people, controller, sync, proposals, repository: source.repository },
      signer: (commit) => verifier.signer(commit),
    }),
    repository: repositoryReads({ ...source, signer: (commit) => verifier.signer(commit) }),
    interventions,
    drift: driftVerbs({ ...target, drift }),
    mcpServers: {
      ...mcpServerVerbs(world, core.mcp, target),
      ...mcpLoginVerbs({
        ...{ store, world, connections: core.mcp, enqueue: (key: ObjectKey) => controller.enqueue(key) },
        oauth: oauthParts(world, core.secrets, core.known),
      }),
    },
    spawning: spawnVerbs(spawnDeps),
  }
  const spawned = new SpawnKeeper(spawnDeps)
  const gates = gateProposals({ store, source, proposals, environmentOf: core.environments }, config.path)
  const settling = createSettling(store, core.feed)
  const hosts = new HostWatch({
    store,
    local: LOCAL_HOST,
    machine: thisMachine(config.data),
    specOf: hostSpecOf(world),
    endWithHost: endWithHost(core.parts.agents!),
    modelProblem: () => core.parts.alwaysLoaded?.problem() ?? null,
    lookAgain: (keys) => {
      for (const key of keys) controller.enqueue(key as ObjectKey)
    },
  })
  const freezeRef = new FreezeRef({
    ...{ store, source, verifier, people, dataDir: folder.root, environment: core.environment },
    fleet: fleetVerbs(store, core.freeze, core.wakes),
    pollMs: () => parseDuration(config.interval),
  })
  let requests: LeaderRequests | null = null
  const watchers = logWatchers(core, {
    gates,
    longRuns,
    wakeObject: (key) => controller.enqueue(key),
    terminate: terminations(world, interventions),
  })
  const traces = makeTraces(core, () => sync.state.sync?.to_revision ?? null)
  let reconciled = false
  let started = false
  let wasHeldUp = false
  return {
    source,
    sync,
    controller,
    schedules: intake.schedules,
    verbs,
    git: gitServer(core, source, proposals),
    hasStarted: () => started,
    holdsUp() {
      const problem = started ? null : (core.parts.alwaysLoaded?.problem() ?? null)
      wasHeldUp ||= problem !== null
      return problem
    },
    isReady: () => reconciled || sync.state.sync !== null,
    async start(ending) {
      await acquireHost(core)
      metrics.stateward.leader(true)
      await hosts.start()
      core.parts.alwaysLoaded?.lookAtAll()
      await hosts.reach('AIRuntime')
      await hosts.reach('CoreServices')
      await core.parts.agents!.start()
      core.parts.agents!.listening()
      await hosts.reach('AgentSpawn')
      mirror?.start()
      const first = await controller.start()
      await interventions.keeper.start()
      reconciled = sync.state.failure === null
      await atMost(SETTLE_MS, controller.settled(), ending)
      await core.parts.modelServers?.recover()
      await hosts.reach('Autonomy')
      started = true
      // Models that were loaded meanwhile are told of by no change of the host.
      if (wasHeldUp) for (const key of world.ofKind('Agent').keys()) controller.enqueue(key)
      return first
    },
    open() {
      intake.start()
      cluster?.start()
      watchers.start()
      traces.start()
      proposals?.start()
      janitor.start()
      spawned.start()
      freezeRef.start()
      settling.start()
      requests = new LeaderRequests(store, core.wakes, verbs)
    },
    fleetChanged() {
      for (const key of world.ofKind('Agent').keys()) controller.enqueue(key)
      intake.nudge()
      freezeRef.nudge()
    },
    async close() {
      await requests?.stop()
      await settling.stop()
      await interventions.keeper.stop()
      await janitor.stop()
      await spawned.stop()
      await freezeRef.stop()
      await proposals?.stop()
      await forge?.stop()
      await traces.stop()
      await watchers.stop()
      await intake.stop()
    },
    async stop() {
      await hosts.stop()
      await controller.stop()
      await cluster?.stop()
      // What was true when the lease was lost may be somebody else's to say.
      if (!store.writer.isLost) await publishing.writer?.close()
      await source.source.close()
    },
  }
}

/** The state repo, or a folder, with the custom resources of a cluster beside it, or these alone. */
async function openSource(
  { config, folder, clock, log }: Core,
  directory: string | null,
  mirror: ClusterMirror | null,
): Promise<OpenSource> {
  if (mirror !== null && config.cluster.source === 'only') return clusterSource(mirror, clock)
  const opened =
    directory === null
      ? gitSource(await openStateRepo(config, folder, clock, log), config.path)
      : await directorySource(directory, SOURCE_NAME, clock, log)
  return mirror === null ? opened : withCluster(opened, mirror, clock)
}

/** Nobody else has it: only who leads asks for it, and it goes with its process. */
async function acquireHost({ store }: Core): Promise<void> {
  if (!(await tryAcquireLease(store, hostLease(LOCAL_HOST))))
    throw fail('SW_INTERNAL', `another process holds the lease ${hostLease(LOCAL_HOST)} without leading`)
}
