import { hostname } from 'node:os'
import { API_VERSION } from '../kinds/definition.ts'
import type { ObjectKey } from '../kinds/resource.ts'
import { connectCluster } from '../kube-client/connect.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { SourceSync } from '../reconcile/sync/source-sync.ts'
import { besideGit } from '../source/cluster/beside-git.ts'
import { ClusterMirror } from '../source/cluster/cluster-mirror.ts'
import { openClusterSource } from '../source/cluster/cluster-source.ts'
import { ClusterEvents } from '../status/writers/cluster-events.ts'
import { ClusterStatusWriter } from '../status/writers/cluster-status-writer.ts'
import { clusterEventOf, TOLD } from './cluster-event-of.ts'
import { followNamed } from './cluster-log.ts'
import { wantedResource } from './cluster-wanted.ts'
import type { Core } from './core.ts'
import type { OpenSource } from './source.ts'
import { SOURCE_NAME } from './state-repo.ts'

/** The cluster whose custom resources are read; null where none are. Throws SW_CLUSTER_CONFIG, SW_CONFIG_INVALID. */
export async function openClusterMirror({
  config,
  clock,
}: Pick<Core, 'config' | 'clock'>): Promise<ClusterMirror | null> {
  const { source, namespaces } = config.cluster
  if (source === 'none') return null
  if (config.verify.mode !== 'none')
    throw fail('SW_CONFIG_INVALID', `verify.mode is ${config.verify.mode}, and custom resources are not signed`, {
      remedy: 'leave out cluster.source, or set verify.mode to none',
    })
  const client = await connectCluster(config.cluster)
  return new ClusterMirror({ client, namespaces, clock, random: Math.random })
}

/** Custom resources alone as the source. */
export function clusterSource(mirror: ClusterMirror, clock: Core['clock']): OpenSource {
  const source = openClusterSource(mirror, { name: SOURCE_NAME, clock })
  return {
    source,
    repository: null,
    remoteUrl: null,
    refresh: async () => {},
    // Resources have no files beside them.
    treeOf: async () => null,
    introducedBy: async () => null,
    async *filesOf() {},
    writeTree: async () => {},
  }
}

/** Custom resources beside what is read already. */
export function withCluster(opened: OpenSource, mirror: ClusterMirror, clock: Core['clock']): OpenSource {
  const cluster = openClusterSource(mirror, { name: SOURCE_NAME, clock })
  return { ...opened, source: besideGit(opened.source, cluster) }
}

/** What is written back to custom resources: status, finalizers and events. */
export interface ClusterWriting {
  readonly mirror: ClusterMirror
  readonly writer: ClusterStatusWriter
  start(): void
  /** Something about these may be another. */
  touch(keys: Iterable<ObjectKey>): void
  stop(): Promise<void>
}

export function clusterWriting(
  core: Core,
  mirror: ClusterMirror,
  sync: () => SourceSync,
  changed: () => void,
): ClusterWriting {
  const { world, clock, log, config, store } = core
  const events = new ClusterEvents({ client: mirror.client, clock, instance: hostname(), log })
  const writer = new ClusterStatusWriter({
    ...{ mirror, clock, changed, log },
    random: Math.random,
    deadlineMs: parseDuration(config.cluster.deletionDeadline),
    wanted: (key, object) => wantedResource({ world, clock, sync }, key, object),
    mayWrite: () => !store.writer.isLost,
    overdue(key, { metadata }) {
      const { name, namespace = '', uid } = metadata
      const why = world.get(key)?.status.conditions?.find(({ type }) => type === 'Ready')?.message ?? 'it has not ended'
      log.warn(
        { key, deadline: config.cluster.deletionDeadline, why },
        'a custom resource went before what it stands for',
      )
      events.record({
        regarding: { apiVersion: API_VERSION, kind: key.slice(0, key.indexOf('/')), namespace, name, uid },
        type: 'Warning',
        reason: 'DeletionDeadline',
        note: `let go after ${config.cluster.deletionDeadline}: ${why}; Stateward goes on with it`,
      })
    },
  })
  const tell = clusterEventOf((key) => mirror.get(key))
  let unsubscribe = (): void => {}
  let following: { stop(): Promise<void> } | null = null
  return {
    mirror,
    writer,
    start() {
      writer.start()
      // That the server went, or came, shows at the source.
      unsubscribe = mirror.subscribe((key) => {
        if (key === null) changed()
      })
      following = followNamed(core, TOLD, (event) => {
        const said = tell(event)
        if (said !== null) events.record(said)
      })
    },
    touch: (keys) => writer.touch(keys),
    async stop() {
      unsubscribe()
      await following?.stop()
      await writer.close()
      await events.close()
    },
  }
}

/** How reading and writing back stand, for the conditions of the source. */
export function clusterState({ mirror, writer }: ClusterWriting) {
  const { problem } = mirror
  const fetch = problem !== null ? problem.message : mirror.isComplete ? null : 'it has not told what it has yet'
  return { fetch, status: writer.problem }
}
