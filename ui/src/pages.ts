import {
  Activity,
  BellRing,
  Bot,
  Coins,
  FolderTree,
  GitPullRequest,
  HeartPulse,
  LayoutDashboard,
  type LucideIcon,
  MessagesSquare,
  Package,
  ScrollText,
  ShieldCheck,
  Workflow,
} from 'lucide-react'
import type { ComponentType } from 'react'
import type { PageProps } from './page-props.ts'

export interface PageEntry {
  /** Below `/ui`, with `:name` for a part and `*` for the rest. */
  readonly path: string
  readonly title: string
  /** Where it stands in the sidebar; left out: it is reached from other pages only. */
  readonly nav?: {
    readonly group: NavGroup
    readonly icon: LucideIcon
    readonly key?: string
    /** Paths of pages that belong to it, too. */
    readonly also?: readonly string[]
  }
  /** The file of the page exports `Page`. */
  readonly load: () => Promise<{ readonly Page: ComponentType<PageProps> }>
}

export const NAV_GROUPS = ['', 'State', 'Work', 'Fleet', 'Governance'] as const
export type NavGroup = (typeof NAV_GROUPS)[number]

/** Every page there is, loaded when it is gone to. `key` goes there after the key `g`. The first path that fits wins. */
export const PAGES: readonly PageEntry[] = [
  {
    path: '/',
    title: 'Overview',
    nav: { group: '', icon: LayoutDashboard, key: 'o' },
    load: () => import('./pages/overview/page.tsx'),
  },
  {
    path: '/resources',
    title: 'Resources',
    nav: { group: 'State', icon: FolderTree, key: 's', also: ['/commits'] },
    load: () => import('./pages/resources/page.tsx'),
  },
  { path: '/resources/:kind/:namespace/:name', title: 'Resource', load: () => import('./pages/resource/page.tsx') },
  { path: '/commits/:revision', title: 'Commit', load: () => import('./pages/commit/page.tsx') },
  {
    path: '/runs',
    title: 'Runs',
    nav: { group: 'Work', icon: Workflow, key: 'r' },
    load: () => import('./pages/runs/page.tsx'),
  },
  { path: '/runs/new', title: 'Start a run', load: () => import('./pages/run-new/page.tsx') },
  { path: '/runs/:run', title: 'Run', load: () => import('./pages/run/page.tsx') },
  { path: '/runs/:run/steps/:step', title: 'Step', load: () => import('./pages/step/page.tsx') },
  {
    path: '/events',
    title: 'Events',
    nav: { group: 'State', icon: Activity, key: 'e' },
    load: () => import('./pages/events/page.tsx'),
  },
  { path: '/events/:event', title: 'Event', load: () => import('./pages/event/page.tsx') },
  {
    path: '/alerts',
    title: 'Alerts',
    nav: { group: 'State', icon: BellRing, key: 'w' },
    load: () => import('./pages/alerts/list-page.tsx'),
  },
  { path: '/alerts/:alert', title: 'Alert', load: () => import('./pages/alerts/detail-page.tsx') },
  {
    path: '/artifacts',
    title: 'Artifacts',
    nav: { group: 'Work', icon: Package, key: 'f' },
    load: () => import('./pages/artifacts/page.tsx'),
  },
  { path: '/artifacts/:artifact', title: 'Artifact', load: () => import('./pages/artifact/page.tsx') },
  {
    path: '/approvals',
    title: 'Approvals',
    nav: { group: 'Work', icon: GitPullRequest, key: 'p', also: ['/proposals'] },
    load: () => import('./pages/approvals/page.tsx'),
  },
  { path: '/proposals', title: 'Proposals', load: () => import('./pages/proposals/list-page.tsx') },
  { path: '/proposals/:id', title: 'Proposal', load: () => import('./pages/proposals/detail-page.tsx') },
  {
    path: '/agents',
    title: 'Agents & hosts',
    nav: { group: 'Fleet', icon: Bot, key: 'a', also: ['/hosts', '/interventions'] },
    load: () => import('./pages/fleet/agents-page.tsx'),
  },
  { path: '/agents/:namespace/:name', title: 'Agent', load: () => import('./pages/fleet/agent-page.tsx') },
  { path: '/hosts', title: 'Hosts', load: () => import('./pages/fleet/hosts-page.tsx') },
  { path: '/hosts/:host', title: 'Host', load: () => import('./pages/fleet/host-page.tsx') },
  { path: '/interventions', title: 'Interventions', load: () => import('./pages/fleet/interventions-page.tsx') },
  {
    path: '/messages',
    title: 'Messages',
    nav: { group: 'Fleet', icon: MessagesSquare, key: 'm' },
    load: () => import('./pages/messages/page.tsx'),
  },
  { path: '/messages/:thread', title: 'Thread', load: () => import('./pages/messages/page.tsx') },
  {
    path: '/health',
    title: 'Health',
    nav: { group: 'Fleet', icon: HeartPulse, key: 'h' },
    load: () => import('./pages/health/page.tsx'),
  },
  {
    path: '/policies',
    title: 'Policies',
    nav: { group: 'Governance', icon: ShieldCheck, key: 'l' },
    load: () => import('./pages/policies/list-page.tsx'),
  },
  { path: '/policies/:namespace/:name', title: 'Policy', load: () => import('./pages/policies/detail-page.tsx') },
  {
    path: '/costs',
    title: 'Costs',
    nav: { group: 'Governance', icon: Coins, key: 'c' },
    load: () => import('./pages/costs/page.tsx'),
  },
  {
    path: '/audit',
    title: 'Audit',
    nav: { group: 'Governance', icon: ScrollText, key: 'd' },
    load: () => import('./pages/audit/page.tsx'),
  },
]
