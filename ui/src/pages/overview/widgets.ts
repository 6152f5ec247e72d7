import type { ComponentType } from 'react'
import { Agents, AgentsAside } from './agents.tsx'
import { Alerts } from './alerts.tsx'
import { DriftList } from './drift-list.tsx'
import { Health } from './health.tsx'
import { Hosts } from './hosts.tsx'
import { Queue } from './queue.tsx'
import { Runs } from './runs.tsx'
import { Spend } from './spend.tsx'
import { SyncState } from './sync-state.tsx'
import { Waiting } from './waiting.tsx'

interface WidgetKind {
  readonly title: string
  readonly Widget: ComponentType
  /** Beside the heading. */
  readonly aside?: ComponentType
  /** It reaches the edges of its card. */
  readonly flush?: boolean
}

/** What a page can be made of, by the word of the manifest. */
export const WIDGETS: Readonly<Record<string, WidgetKind | undefined>> = {
  sync: { title: 'Desired and applied', Widget: SyncState },
  health: { title: 'Health', Widget: Health },
  drift: { title: 'Drift', Widget: DriftList, flush: true },
  waiting: { title: 'Waits for somebody', Widget: Waiting, flush: true },
  runs: { title: 'Runs', Widget: Runs, flush: true },
  agents: { title: 'Agents', Widget: Agents, aside: AgentsAside, flush: true },
  hosts: { title: 'Hosts', Widget: Hosts, flush: true },
  spend: { title: 'Spend', Widget: Spend },
  alerts: { title: 'Alerts', Widget: Alerts, flush: true },
  queue: { title: 'Queue and recovery', Widget: Queue },
}
