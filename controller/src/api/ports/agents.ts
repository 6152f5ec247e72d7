import type { JsonObject } from '../../lib/json.ts'

/** How agents stand: what was accepted, and what their instances report. */
export interface AgentReaders {
  /** By namespace and name. */
  page(page: {
    readonly namespace: string | null
    readonly after: { readonly namespace: string; readonly name: string } | null
    readonly limit: number
  }): Promise<readonly AgentStanding[]>
  find(uid: string): Promise<AgentStanding | null>
  /** How many agents stand how; every word is there. */
  countByHealth(): Promise<Readonly<Record<string, number>>>
}

export interface AgentStanding {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** The effective one. */
  readonly spec: JsonObject
  readonly createdAt: Date
  readonly mode: 'daemon' | 'perTask' | 'external' | 'model'
  readonly replicas: number
  readonly suspended: boolean
  readonly deleting: boolean
  readonly ready: boolean
  readonly message: string
  readonly health: string
  readonly instances: readonly InstanceStanding[]
}

export interface InstanceStanding {
  readonly id: string
  readonly ordinal: number
  readonly host: string
  readonly mode: 'daemon' | 'perTask'
  readonly health: 'starting' | 'healthy' | 'late' | 'silent' | 'draining'
  readonly busy: boolean
  readonly startedAt: Date
  readonly lastHeartbeatAt: Date | null
  readonly restarts: number
  readonly currentTask: string | null
  readonly slots: number
  readonly tokens: number
  readonly costNanoUsd: number
  readonly cpuPercent: number | null
  readonly memoryBytes: number | null
}
