import { LayoutDashboard, type LucideIcon } from 'lucide-react'
import type { ComponentType } from 'react'

/** What a page gets: the parts of its path, decoded. */
export interface PageProps {
  readonly params: Readonly<Record<string, string>>
}

export interface PageEntry {
  /** Below `/ui`, with `:name` for a part and `*` for the rest. */
  readonly path: string
  readonly title: string
  /** Where it stands in the sidebar; left out: it is reached from other pages only. */
  readonly nav?: { readonly group: NavGroup; readonly icon: LucideIcon; readonly key?: string }
  /** The file of the page exports `Page`. */
  readonly load: () => Promise<{ readonly Page: ComponentType<PageProps> }>
}

export const NAV_GROUPS = ['', 'State', 'Work', 'Fleet', 'Account'] as const
export type NavGroup = (typeof NAV_GROUPS)[number]

/** Every page there is, loaded when it is gone to. `key` goes there after the key `g`. The first path that fits wins. */
export const PAGES: readonly PageEntry[] = [
  {
    path: '/',
    title: 'Overview',
    nav: { group: '', icon: LayoutDashboard, key: 'o' },
    load: () => import('./pages/overview/page.tsx'),
  },
]
