import type { PrinterColumn, Scope } from '../../kinds/definition.ts'
import type { ObjectView } from '../../kinds/resource.ts'
import type { Executor } from '../../store/database.ts'
import type { LoggedEvent } from '../../store/ports.ts'

/** An object as it is served: declared ones also have a spec and a status. */
export interface ServedView extends Pick<ObjectView, 'apiVersion' | 'kind'> {
  readonly metadata: Omit<ObjectView['metadata'], 'generation'> & { readonly generation?: number }
}

export interface ViewPage {
  /** null = all. */
  readonly namespace: string | null
  readonly name: string | null
  /** Starts behind this (namespace, name). */
  readonly after: { readonly namespace: string; readonly name: string } | null
  /** What the field selector asks of them, by path; whoever can may look only those up. */
  readonly fields?: Readonly<Record<string, string>>
  /** What the label selector asks to be equal. */
  readonly labels?: Readonly<Record<string, string>>
  readonly limit: number
}

/** How an event concerns objects of a resource. */
export interface Subject {
  readonly id: string
  readonly change: 'created' | 'changed' | 'deleted'
}

/** The resources of one group and version. */
export interface ServedGroup {
  /** '' = the core group. */
  readonly group: string
  readonly version: string
  readonly resources: readonly ServedResource[]
}

/** `v1`, `stateward.dev/v1alpha1`. */
export function apiVersionOf({ group, version }: Pick<ServedGroup, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`
}

/** Where a group is served, below `/kube`. */
export function pathOf({ group, version }: Pick<ServedGroup, 'group' | 'version'>): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`
}

/** What is answered is of the resource's own kind, unless another is named. */
export interface Subresource {
  readonly name: string
  readonly kind?: string
  readonly group?: string
  readonly version?: string
  readonly verbs: readonly string[]
}

/** What changes by itself (pids, heartbeat times, counters), and is in no status write. */
export type LiveStatus = Readonly<Record<string, unknown>>

/** How objects that are kept in memory between lists are brought up to date. */
export interface KeptReads {
  /** Of all that are there. */
  totals(sql: Executor): Promise<{ readonly count: number; readonly generations: number }>
  /** Whose version is above a number of the log; by namespace and name. */
  changedSince(sql: Executor, seq: number): Promise<readonly ServedView[]>
  /** The generation of each, by uid. */
  generations(sql: Executor): Promise<ReadonlyMap<string, number>>
  /** By uid; those that have none are not in it. */
  live(uids: readonly string[]): Promise<ReadonlyMap<string, LiveStatus>>
}

/** A resource of the façade: what is served under a plural, wherever its rows come from. */
export interface ServedResource {
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly scope: Scope
  /** What `kubectl get` shows beside the name. */
  readonly columns: readonly PrinterColumn[]
  /** False: the name tells nobody anything, and is not shown. */
  readonly isNamed?: false
  /** What its field selectors may name beside name, namespace and phase. */
  readonly fields?: readonly string[]
  /** Default: what reads. */
  readonly verbs?: readonly string[]
  /** Parts of an object that are served by themselves: `pods/log`. */
  readonly subresources?: readonly Subresource[]
  /** What the rest runs by or with: not part of `all`. */
  readonly isInfrastructure?: boolean
  /** By namespace and name. */
  page(sql: Executor, page: ViewPage): Promise<readonly ServedView[]>
  /** Objects that are in no table; shown before the first page. */
  fixed(namespace: string | null): Promise<readonly ServedView[]>
  find(sql: Executor, namespace: string, name: string): Promise<ServedView | null>
  byId(sql: Executor, ids: readonly string[]): Promise<readonly ServedView[]>
  /** The object an event is about, or null when it is about none of this resource. */
  subjectOf(event: LoggedEvent): Subject | null
  /** The object as it last was, from the event that says it is gone. */
  lastView(event: LoggedEvent): ServedView
  /** Adds what changes by itself to what was stored. */
  withLive(views: readonly ServedView[]): Promise<readonly ServedView[]>
  /** Lists of everything are answered from memory; left out: each is read as a whole. */
  readonly kept?: KeptReads
}
