import type { Scope } from '../../kinds/definition.ts'
import type { ObjectView } from '../../kinds/resource.ts'
import type { Executor } from '../../store/database.ts'
import type { LoggedEvent } from '../../store/ports.ts'

export interface ViewPage {
  /** null = all. */
  readonly namespace: string | null
  readonly name: string | null
  /** Starts behind this (namespace, name). */
  readonly after: { readonly namespace: string; readonly name: string } | null
  readonly limit: number
}

/** How an event concerns objects of a resource. */
export interface Subject {
  readonly id: string
  readonly change: 'created' | 'changed' | 'deleted'
}

/** A resource of the façade: what is served under a plural, wherever its rows come from. */
export interface ServedResource {
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly scope: Scope
  /** What runs the rest: not part of `all`. */
  readonly isInfrastructure?: boolean
  /** By namespace and name. */
  page(sql: Executor, page: ViewPage): Promise<readonly ObjectView[]>
  /** Objects that are in no table; shown before the first page. */
  fixed(namespace: string | null): Promise<readonly ObjectView[]>
  find(sql: Executor, namespace: string, name: string): Promise<ObjectView | null>
  byId(sql: Executor, ids: readonly string[]): Promise<readonly ObjectView[]>
  /** The object an event is about, or null when it is about none of this resource. */
  subjectOf(event: LoggedEvent): Subject | null
  /** The object as it last was, from the event that says it is gone. */
  lastView(event: LoggedEvent): ObjectView
  /** Adds what changes by itself (pids, heartbeat times, counters) to what was stored. */
  withLive(views: readonly ObjectView[]): Promise<readonly ObjectView[]>
}
