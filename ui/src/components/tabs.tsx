import { Tabs as BaseTabs } from '@base-ui/react/tabs'
import type { ReactNode } from 'react'
import { useFilters } from './filters.tsx'
import styles from './tabs.module.css'

export interface Tab {
  readonly id: string
  readonly label: ReactNode
  readonly content: ReactNode
}

/** Tabs of which the address says which one is open (`?tab=`), so that each can be sent to somebody. */
export function Tabs({ tabs, label }: { readonly tabs: readonly Tab[]; readonly label: string }): ReactNode {
  const [{ tab }, setFilter] = useFilters('tab')
  const value = tabs.find(({ id }) => id === tab)?.id ?? tabs[0]?.id ?? ''
  return (
    <BaseTabs.Root
      value={value}
      onValueChange={(next: string) => setFilter('tab', next === tabs[0]?.id ? '' : next)}
      className={styles['tabs']}
    >
      <BaseTabs.List className={styles['list']} aria-label={label}>
        {tabs.map(({ id, label: text }) => (
          <BaseTabs.Tab key={id} value={id} className={styles['tab']} data-testid={`tab-${id}`}>
            {text}
          </BaseTabs.Tab>
        ))}
      </BaseTabs.List>
      {tabs.map(({ id, content }) => (
        <BaseTabs.Panel key={id} value={id} className={styles['panel']}>
          {content}
        </BaseTabs.Panel>
      ))}
    </BaseTabs.Root>
  )
}
