import type { InstanceRow } from '../../store/queries/instances.ts'
import type { Fleet } from '../fleet.ts'
import type { Ledger } from '../ledger.ts'
import { PodLog } from '../runtimes/pod/pod-log.ts'
import type { PodSweeper } from './pod-sweeper.ts'
import type { SeenPods } from './seen-pods.ts'
import type { Watched, WatchedPods } from './watched-pods.ts'

/** What everything that looks after the pods of agents shares. */
export interface PodParts {
  readonly fleet: Fleet
  readonly ledger: Ledger
  readonly seen: SeenPods
  readonly watched: WatchedPods
  readonly sweeper: PodSweeper
  /** Instances whose row is there and whose pod is being made at this moment. */
  readonly starting: Set<string>
}

/** From now on its log is copied, and its end is recorded with what is known of it. */
export function watchPod(
  { fleet, seen, watched }: PodParts,
  { id, mode }: Pick<InstanceRow, 'id' | 'mode'>,
  name: string,
): Watched {
  const folder = fleet.workspaces.instanceFolder(id)
  const { maxLogBytes } = fleet.context.settings
  const file = mode === 'perTask' ? 'err' : 'out'
  const log = new PodLog(seen.api, name, { folder, file, maxBytes: maxLogBytes }, () => seen.hasStarted(name))
  const made: Watched = { name, log, stopping: null, verdict: null }
  watched.set(id, made)
  return made
}
