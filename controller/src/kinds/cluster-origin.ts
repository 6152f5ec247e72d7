import { kindOf } from './registry.ts'
import type { ObjectRef } from './resource.ts'

/** What stands for a file in what a Kubernetes cluster declares; no path of a repository holds two slashes in a row. */
const CLUSTER_ROOT = 'cluster://'

/** Kinds that stand for something that runs: their custom resources carry a finalizer, and stay until it has ended. */
export const HELD_KINDS: readonly string[] = ['Agent', 'Blueprint']

/** `cluster://agents/default/sre.yaml`, `cluster://hosts/local.yaml`. */
export function clusterPath({ kind, namespace, name }: ObjectRef): string {
  const plural = kindOf(kind)?.plural ?? kind.toLowerCase()
  return `${CLUSTER_ROOT}${plural}/${namespace === '' ? '' : `${namespace}/`}${name}.yaml`
}

/** Whether an object's document is a custom resource. */
export function isFromCluster(file: string): boolean {
  return file.startsWith(CLUSTER_ROOT)
}

const BOTH = /^(?:((?:dir@)?[0-9a-f]{40,64})\+)?(cluster@[0-9a-f]{40})$/

/** The parts of a revision, or of the name of a tree: what is in Git, and what is in the cluster; null = the part is not there. */
export function partsOfRevision(revision: string): { readonly git: string | null; readonly cluster: string | null } {
  const [, git, cluster] = BOTH.exec(revision) ?? []
  return cluster === undefined ? { git: revision, cluster: null } : { git: git ?? null, cluster }
}

/** A revision as the repository knows it: without what is in the cluster. */
export function commitOfRevision(revision: string): string {
  return partsOfRevision(revision).git ?? revision
}
