import type { Agents } from '../agents/agents.ts'
import { agentLog, taskLog } from '../agents/logs.ts'
import type { SecretReader } from '../agents/ports.ts'
import type { ApiServices } from '../api/ports.ts'
import type { DeclaredEventTypes } from '../events/declared-types.ts'
import { fail } from '../lib/error-catalogue.ts'
import { type ArtifactDeps, createArtifact, readArtifact, storeArtifact } from '../records/artifacts/artifacts.ts'
import { cancelRun } from '../runs/cancel.ts'
import type { CreateRun } from '../runs/create.ts'
import { decideGate } from '../runs/decide-gate.ts'
import type { Blueprints, EnvironmentOf } from '../runs/ports.ts'
import { replayRun } from '../runs/rebuild/replay.ts'
import { readRunLog } from '../runs/run-log.ts'
import type { Schedules } from '../runs/schedules.ts'
import { startRun } from '../runs/start-run.ts'
import { receiveWebhook } from '../runs/webhooks.ts'
import { getRun } from '../store/queries/runs.ts'
import { builtinToolObjects } from '../tools/builtin-objects.ts'
import { agentProtocol } from './agent-protocol.ts'
import { liveStatus } from './live-status.ts'
import { objectVerbs, sourceVerbs, type VerbDeps } from './object-verbs.ts'
import { standingOf } from './world-views.ts'

export interface ServiceDeps extends VerbDeps {
  readonly agents: Agents
  readonly schedules: Schedules
  readonly createRun: CreateRun
  /** A run is new and free, or something came to its inbox: told after the commit. */
  readonly runChanged: (runId: string) => void
  readonly blueprints: Blueprints
  readonly environmentOf: EnvironmentOf
  readonly dataDir: string
  readonly artifacts: ArtifactDeps
  readonly secrets: SecretReader
  readonly eventTypes: DeclaredEventTypes
}

/** What the API serves, put together from the parts. */
export function apiServices(deps: ServiceDeps): ApiServices {
  const { store, agents, createRun, runChanged, blueprints, environmentOf, dataDir, artifacts, eventTypes } = deps
  const builtins = builtinToolObjects('default', store.clock.now().toISOString())
  const runs = { store, blueprints, environmentOf, create: createRun, nudge: runChanged }
  return {
    runs: {
      create: (request, caller) => startRun(runs, request, caller),
      cancel: (request, caller) => cancelRun(runs, request, caller),
      replay: (request, caller) => replayRun(runs, request, caller),
    },
    gates: { decide: (request, caller) => decideGate({ ...runs, standingOf }, request, caller) },
    webhooks: {
      receive: (delivery) =>
        receiveWebhook({ store, blueprints, environmentOf, eventTypes, secret: deps.secrets }, delivery),
    },
    agents: agentProtocol(agents),
    objects: objectVerbs(deps),
    sources: sourceVerbs(deps),
    logs: {
      async run(runId, options) {
        const ended = async () =>
          !['created', 'running'].includes((await getRun(store.reader, runId))?.status ?? 'completed')
        if ((await getRun(store.reader, runId)) === null) throw fail('SW_NOT_FOUND', `there is no run ${runId}`)
        return runLogText(readRunLog(dataDir, runId, options, ended))
      },
      task: (taskId, options) => taskLog(agents.fleet, taskId, options),
      agent: (ref, options) => agentLog(agents.fleet, ref, options),
    },
    artifacts: {
      create: (artifact, caller) => createArtifact(artifacts, artifact, caller),
      store: (artifactId, content, caller) => storeArtifact(artifacts, artifactId, content, caller),
      read: (artifactId) => readArtifact(artifacts, artifactId),
    },
    eventTypes,
    views: { builtinTools: () => builtins, liveStatus: (kind, uids) => liveStatus(deps, kind, uids) },
  }
}

/** `2026-11-21T11:00:00.000Z run_fix | would run: …` */
async function* runLogText(lines: AsyncIterable<string>): AsyncIterable<string> {
  for await (const line of lines) {
    const { time, step, line: text } = JSON.parse(line) as { time: string; step: string; line: string }
    yield `${time} ${step} | ${text}\n`
  }
}
