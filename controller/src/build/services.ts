import { agentLog, taskLog } from '../agents/logs.ts'
import type { ApiServices } from '../api/ports.ts'
import { answerIntervention } from '../interventions/acknowledge.ts'
import { keyOf } from '../kinds/resource.ts'
import { fail } from '../lib/error-catalogue.ts'
import { createArtifact, readArtifact, storeArtifact } from '../records/artifacts/artifacts.ts'
import { recordImpression } from '../records/impressions.ts'
import { cancelRun } from '../runs/cancel.ts'
import { retryRun } from '../runs/follow-up/retry-run.ts'
import { rollbackRun } from '../runs/follow-up/rollback-run.ts'
import { decideGate } from '../runs/gates/decide-gate.ts'
import type { Blueprints } from '../runs/ports.ts'
import { replayRun } from '../runs/rebuild/replay.ts'
import { readRunLog } from '../runs/run-log.ts'
import { simulatePlan } from '../runs/simulate/simulate-plan.ts'
import { type CreateRun, createsFreeRuns } from '../runs/start/create.ts'
import { startInlineRun } from '../runs/start/start-inline.ts'
import { startOperation } from '../runs/start/start-operation.ts'
import { startRun } from '../runs/start/start-run.ts'
import { requeueDeadLetter } from '../runs/triggers/requeue.ts'
import { receiveWebhook } from '../runs/webhooks/webhooks.ts'
import { hasModelLoop } from '../store/queries/model-loops.ts'
import { getRun } from '../store/queries/runs.ts'
import { loadSourceHead } from '../store/queries/sources.ts'
import { builtinToolObjects } from '../tools/builtin-objects.ts'
import { agentProtocol } from './agent-protocol.ts'
import { agentReaders } from './agent-views.ts'
import type { Core } from './core.ts'
import { fleetVerbs } from './freeze.ts'
import { joinedHostObjects } from './host-objects.ts'
import { hostService } from './host-service.ts'
import { remoteVerbs } from './leader-requests.ts'
import { liveStatus } from './live-status.ts'
import { messageVerbs } from './message-verbs.ts'
import { modelLogsFolder } from './model-agents.ts'
import { modelVerbs } from './model-verbs.ts'
import { modelWire } from './model-wire.ts'
import { secretReaders } from './named-secrets.ts'
import { notificationVerbs } from './notifications.ts'
import type { Leader } from './parts.ts'
import { peopleOf } from './people.ts'
import { guardedDrift, guardedInterventions, guardedSpawning } from './policy-guards.ts'
import { SOURCE_NAME } from './state-repo.ts'
import { taskVerbs } from './task-verbs.ts'
import { allowsInlinePlans, hasAgent, operationsOf, standingOf, workSurroundings } from './world-views.ts'

/** What the API serves, put together from the parts. */
export function apiServices(core: Core, blueprints: Blueprints): ApiServices {
  const { store, environments: environmentOf, artifacts, secrets, eventTypes, parts } = core
  const { policies } = core
  const people = peopleOf(core.world)
  const now = () => store.clock.now()
  const dataDir = core.config.data
  const agents = parts.agents!
  const remote = remoteVerbs(store, core.wakes)
  const verbs = () => parts.leader?.verbs ?? remote
  const builtins = builtinToolObjects('default', store.clock.now().toISOString())
  const runs = { store, blueprints, environmentOf, tools: core.tools, create: runMaker(core), nudge: core.announce.run }
  const inline = {
    ...runs,
    tools: core.tools,
    allowsInlinePlans: allowsInlinePlans(core.world),
    hasAgent: hasAgent(core.world),
    revision: async () => (await loadSourceHead(store.engine, SOURCE_NAME))?.applied_revision ?? null,
  }
  const fleet = fleetVerbs(store, core.freeze, core.wakes)
  /** Nothing begins while the fleet is halted. */
  const going = async <R>(work: () => Promise<R>): Promise<R> => {
    fleet.assertGoing()
    return await work()
  }
  return {
    runs: {
      create: (request, caller) => going(() => startRun(runs, request, caller)),
      createInline: (request, caller) => going(() => startInlineRun(inline, request, caller)),
      runOperation: (request, caller) =>
        going(() => startOperation({ ...inline, operation: operationsOf(core.world) }, request, caller)),
      simulate: async (request) => simulatePlan(inline, request),
      requeue: (id, caller) => going(() => requeueDeadLetter(runs, id, caller)),
      cancel: (request, caller) => cancelRun(runs, request, caller),
      retry: (request, caller) => going(() => retryRun(runs, request, caller)),
      rollback: (request, caller) =>
        going(async () => (await rollbackRun({ ...runs, tools: core.tools }, request, caller))!),
      replay: (request, caller) => replayRun({ ...runs, values: core.values }, request, caller),
    },
    gates: {
      decide: (request, caller) => decideGate({ ...runs, standingOf, lineageOf: people.lineage }, request, caller),
    },
    webhooks: {
      receive: (delivery) => receiveWebhook({ store, blueprints, environmentOf, eventTypes, secrets }, delivery),
    },
    agents: agentProtocol(agents, {
      world: core.world,
      proposals: { create: (object, options, caller) => verbs().proposals.create(object, options, caller) },
    }),
    agentReaders: agentReaders(core),
    spawning: guardedSpawning(policies, core.world, now, {
      spawn: (request, self, caller) => going(() => verbs().spawning.spawn(request, self, caller)),
      end: (uid, self, caller) => verbs().spawning.end(uid, self, caller),
    }),
    tasks: taskVerbs(core),
    hosts: hostService(core, agents),
    fleet,
    objects: {
      reconcile: (ref, caller) => verbs().objects.reconcile(ref, caller),
      suspend: (ref, options, caller) => verbs().objects.suspend(ref, options, caller),
      resume: (ref, options, caller) => verbs().objects.resume(ref, options, caller),
    },
    interventions: {
      ...guardedInterventions(policies, now, {
        intervene: (agent, request, caller) => verbs().interventions.intervene(agent, request, caller),
      }),
      answer: (agent, answer) => answerIntervention(store, agent, answer),
    },
    drift: guardedDrift(policies, store, now, {
      enforce: (id, why, caller) => verbs().drift.enforce(id, why, caller),
      adopt: (id, why, caller) => verbs().drift.adopt(id, why, caller),
    }),
    mcpServers: {
      lock: (server, caller) => verbs().mcpServers.lock(server, caller),
      beginLogin: (server, asked, caller) => verbs().mcpServers.beginLogin(server, asked, caller),
      finishLogin: (server, callback, caller) => verbs().mcpServers.finishLogin(server, callback, caller),
    },
    sources: {
      sync: (source, options, caller) => verbs().sources.sync(source, options, caller),
      approveDeletions: (source, revision, caller) => verbs().sources.approveDeletions(source, revision, caller),
    },
    approvals: {
      held: () => verbs().approvals.held(),
      commit: (revision) => verbs().approvals.commit(revision),
      decide: (target, word, caller) => verbs().approvals.decide(target, word, caller),
      decideProposal: (id, word, caller) => verbs().approvals.decideProposal(id, word, caller),
    },
    repository: {
      commits: (revisions) => verbs().repository.commits(revisions),
      change: (revision) => verbs().repository.change(revision),
      text: (file) => verbs().repository.text(file),
    },
    proposals: {
      set: (ref, field, options, caller) => verbs().proposals.set(ref, field, options, caller),
      create: (object, options, caller) => verbs().proposals.create(object, options, caller),
      update: (ref, patch, options, caller) => verbs().proposals.update(ref, patch, options, caller),
      remove: (ref, options, caller) => verbs().proposals.remove(ref, options, caller),
      propose: (request, caller) => verbs().proposals.propose(request, caller),
      reject: (id, reason, caller) => verbs().proposals.reject(id, reason, caller),
      merge: (id, caller) => verbs().proposals.merge(id, caller),
      diff: (id) => verbs().proposals.diff(id),
      heard: (event, caller) => verbs().proposals.heard(event, caller),
    },
    drafts: {
      save: (request, caller) => verbs().drafts.save(request, caller),
      validate: (id, caller) => verbs().drafts.validate(id, caller),
      promote: (id, caller) => verbs().drafts.promote(id, caller),
    },
    git: {
      advertise: (service, protocol) => leaderOf(core).git.advertise(service, protocol),
      fetch: (input, protocol) => leaderOf(core).git.fetch(input, protocol),
      push: (input, protocol, principal, caller) => leaderOf(core).git.push(input, protocol, principal, caller),
    },
    forge: {
      async receive(headers, body, correlationId) {
        if (core.forge === null) throw fail('SW_NOT_FOUND', 'no forge is configured', { remedy: 'set forge.type' })
        const event = await core.forge.event(headers, body)
        return event === null ? 'nothing to do' : verbs().proposals.heard(event, { actor: 'system', correlationId })
      },
    },
    logs: {
      async run(runId, options) {
        const ended = async () =>
          !['created', 'running'].includes((await getRun(store.reader, runId))?.status ?? 'completed')
        if ((await getRun(store.reader, runId)) === null) throw fail('SW_NOT_FOUND', `there is no run ${runId}`)
        return runLogText(readRunLog(dataDir, runId, options, ended))
      },
      async task(taskId, options) {
        if (!(await hasModelLoop(store.reader, taskId))) return taskLog(agents.fleet, taskId, options)
        const ended = async () => !(await hasModelLoop(store.reader, taskId, true))
        return runLogText(readRunLog(modelLogsFolder(dataDir), taskId, options, ended))
      },
      agent: (ref, options) => agentLog(agents.fleet, ref, options),
    },
    artifacts: {
      create: (artifact, caller) => createArtifact(artifacts, artifact, caller),
      store: (artifactId, content, caller) => storeArtifact(artifacts, artifactId, content, caller),
      read: (artifactId) => readArtifact(artifacts, artifactId),
    },
    eventTypes,
    messages: messageVerbs(core),
    secrets: secretReaders(core),
    models: modelVerbs(core),
    modelWire: modelWire(core),
    notifications: notificationVerbs(core),
    tools: core.toolCalls,
    impressions: { record: (said, caller) => recordImpression(store, said, caller) },
    work: workSurroundings(core.world),
    views: {
      builtin: async (kind) => (kind === 'Tool' ? builtins : kind === 'Host' ? await joinedHostObjects(core) : []),
      capabilities: (namespace) => core.tools.all(namespace),
      liveStatus: (kind, uids) => liveStatus(core, kind, uids),
      effective(ref) {
        const object = core.world.get(keyOf(ref))
        return object === undefined ? null : core.world.effective(object)
      },
    },
  }
}

/** The repository is opened by the process that leads. */
function leaderOf({ parts }: Core): Leader {
  if (parts.leader === null)
    throw fail('SW_NO_LEADER', 'the state repo is served by the process that leads', {
      remedy: 'use the address of that process: `stateward get workers` shows which one leads',
    })
  return parts.leader
}

/** A process that moves runs moves those it makes at once; another one leaves them to whoever is free. */
function runMaker({ store, journal, parts }: Core): CreateRun {
  const { engine } = parts
  return engine === null ? createsFreeRuns(store, journal) : (run, plan, event) => engine.create(run, plan, event)
}

/** `2026-11-21T11:00:00.000Z run_fix | would run: …` */
async function* runLogText(lines: AsyncIterable<string>): AsyncIterable<string> {
  for await (const line of lines) {
    const { time, step, line: text } = JSON.parse(line) as { time: string; step: string; line: string }
    yield `${time} ${step} | ${text}\n`
  }
}
