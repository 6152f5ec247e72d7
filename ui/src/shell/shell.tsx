import { type ReactNode, useState } from 'react'
import { useLocation } from 'wouter'
import { useLiveStatus } from '../live/live-context.tsx'
import { CommandPalette } from './command-palette.tsx'
import { FleetBanner } from './fleet-banner.tsx'
import { HelpDialog } from './help-dialog.tsx'
import styles from './shell.module.css'
import { Sidebar } from './sidebar.tsx'
import { SignedOut } from './signed-out.tsx'
import { Topbar } from './topbar.tsx'
import { useShortcuts } from './use-shortcuts.ts'

type Open = 'palette' | 'help' | 'menu' | null

/** What stands around every page: where one can go, whether what is shown is live, and the keys. */
export function Shell({ children }: { readonly children: ReactNode }): ReactNode {
  const [open, setOpen] = useState<Open>(null)
  const [path, navigate] = useLocation()
  const { state } = useLiveStatus()
  useShortcuts({
    openPalette: () => setOpen('palette'),
    openHelp: () => setOpen('help'),
    goTo: navigate,
  })
  const close = (isOpen: boolean): void => setOpen((now) => (isOpen ? now : null))
  return (
    <div className={styles['shell']}>
      <a className={styles['skip']} href="#main" data-testid="skip-link">
        Skip to the content
      </a>
      <Sidebar path={path} isOpen={open === 'menu'} onClose={() => setOpen(null)} />
      <Topbar
        onMenu={() => setOpen(open === 'menu' ? null : 'menu')}
        onSearch={() => setOpen('palette')}
        onHelp={() => setOpen('help')}
      />
      <main id="main" className={styles['main']} tabIndex={-1}>
        <FleetBanner />
        {state === 'signed-out' ? <SignedOut /> : children}
      </main>
      <CommandPalette isOpen={open === 'palette'} onOpenChange={close} onGo={navigate} />
      <HelpDialog isOpen={open === 'help'} onOpenChange={close} />
    </div>
  )
}
