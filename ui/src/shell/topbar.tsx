import { CircleHelp, Menu, Search } from 'lucide-react'
import type { ReactNode } from 'react'
import { Button } from '../components/button.tsx'
import { LiveBadge } from './live-badge.tsx'
import { SettingsMenu } from './settings-menu.tsx'
import styles from './topbar.module.css'

export function Topbar(props: {
  readonly onMenu: () => void
  readonly onSearch: () => void
  readonly onHelp: () => void
}): ReactNode {
  return (
    <header className={styles['topbar']}>
      <div className={styles['menu']}>
        <Button look="quiet" label="Pages" testId="menu" onClick={props.onMenu}>
          <Menu size={18} aria-hidden />
        </Button>
      </div>
      <button type="button" className={styles['find']} onClick={props.onSearch} data-testid="open-palette">
        <Search size={15} aria-hidden />
        <span>Find or go to…</span>
        <kbd>Ctrl K</kbd>
      </button>
      <div className={styles['end']}>
        <LiveBadge />
        <Button look="quiet" label="Help" testId="open-help" onClick={props.onHelp}>
          <CircleHelp size={18} aria-hidden />
        </Button>
        <SettingsMenu />
      </div>
    </header>
  )
}
