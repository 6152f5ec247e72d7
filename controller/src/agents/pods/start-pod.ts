import { mkdirSync } from 'node:fs'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import type { AgentTarget } from '../agent-target.ts'
import type { Fleet } from '../fleet.ts'
import { writeRecord } from '../instance-record.ts'
import type { Ledger } from '../ledger.ts'
import type { Obstacle } from '../observation.ts'
import { podManifests } from '../runtimes/pod/pod-manifest.ts'
import type { PodsApi } from '../runtimes/pod/pods-api.ts'
import { declaredEnvironment } from '../secrets.ts'
import { candidate } from '../start-instance.ts'
import { podHost } from './pod-host.ts'
import { podStarted } from './pod-ledger.ts'

export interface PodParts {
  readonly fleet: Fleet
  readonly ledger: Ledger
  readonly api: PodsApi
  readonly starting: Set<string>
}

export type PodStart =
  | { readonly type: 'started'; readonly instanceId: string; readonly name: string }
  /** Another instance of that replica lives. */
  | { readonly type: 'taken' }
  | { readonly type: 'obstacle'; readonly obstacle: Obstacle }

/** The cluster has room, or says that it has not. */
const ANY = Number.MAX_SAFE_INTEGER

/**
 * Starts a replica as a pod: its row is committed first, then the pod is made, then both are told to the log. A controller that
 * is killed in between leaves a row whose pod, if there is one, has the name that follows from it.
 */
export async function startPod(
  { fleet, ledger, api, starting }: PodParts,
  target: AgentTarget,
  place: { readonly ordinal: number; readonly restartCount: number; readonly crashCount: number },
): Promise<PodStart> {
  const { context } = fleet
  const environment = await environmentOf(fleet, target)
  if ('obstacle' in environment) return { type: 'obstacle', obstacle: environment.obstacle }
  const made = candidate(fleet, target, { mode: 'daemon', ...place })
  const row = { ...made.row, host: podHost(api.namespace), bootId: '' }
  starting.add(row.id)
  try {
    if ((await ledger.insert(row, ANY)) !== 'inserted') return { type: 'taken' }
    const { pod, secret } = podManifests({
      target,
      runtime: target.pod!,
      namespace: api.namespace,
      declared: environment.values,
      instance: {
        url: context.pods!.url,
        token: made.token,
        agent: target.name,
        namespace: target.namespace,
        instanceId: row.id,
      },
    })
    const folder = fleet.workspaces.instanceFolder(row.id)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeRecord(folder, target)
    let uid: string
    try {
      uid = await api.create(pod, secret)
    } catch (error) {
      const message = errorMessage(error)
      await ledger.notStarted(row.id, message)
      context.log.error({ err: error, instance: row.id, agent: row.agent }, 'could not make the pod of an agent')
      return { type: 'obstacle', obstacle: { reason: 'Failed', message: `its pod could not be made: ${message}` } }
    }
    await podStarted(context.store, row.id, uid)
    fleet.changed(row)
    return { type: 'started', instanceId: row.id, name: pod.metadata!.name! }
  } finally {
    starting.delete(row.id)
  }
}

async function environmentOf(
  fleet: Fleet,
  target: AgentTarget,
): Promise<{ readonly values: Record<string, string> } | { readonly obstacle: Obstacle }> {
  const { namespace, name } = target
  try {
    return await declaredEnvironment(target.spec, fleet.context.secrets, {
      consumer: `agent:${namespace}/${name}`,
      namespace,
    })
  } catch (error) {
    if (!(error instanceof StatewardError)) throw error
    if (error.ref === 'SW_DATABASE_UNREACHABLE' || error.ref === 'SW_LEASE_LOST') throw error
    const reason = error.ref === 'SW_SECRET_MISSING' ? 'SecretMissing' : 'Failed'
    return { obstacle: { reason, message: `${error.message}: ${error.remedy}` } }
  }
}
