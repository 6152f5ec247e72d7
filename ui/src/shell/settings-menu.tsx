import { Menu } from '@base-ui/react/menu'
import { Check, SlidersHorizontal } from 'lucide-react'
import type { ReactNode } from 'react'
import { useSession } from '../api/session.ts'
import { THEMES, useSettings } from '../settings/settings.tsx'
import { zoneName } from '../text/time.ts'
import styles from './settings-menu.module.css'

const THEME_NAMES = { system: 'As the system', light: 'Light', dark: 'Dark' } as const
const ZONES = [
  'UTC',
  'Europe/London',
  'Europe/Berlin',
  'America/New_York',
  'America/Los_Angeles',
  'Asia/Kolkata',
  'Asia/Tokyo',
  'Australia/Sydney',
]

/** How the page looks and in which zone it tells times: kept in this browser. */
export function SettingsMenu(): ReactNode {
  const settings = useSettings()
  const session = useSession()
  const zone = zoneName(Date.now(), settings.zone)
  const zones = ZONES.includes(settings.zone) || !settings.hasOwnZone ? ZONES : [...ZONES, settings.zone]
  return (
    <Menu.Root>
      <Menu.Trigger
        className={styles['trigger']}
        aria-label={`Settings, times in ${zone}`}
        title={`Settings, times in ${settings.zone}`}
        data-testid="settings"
      >
        <span className={styles['zone']}>{zone}</span>
        <SlidersHorizontal size={17} aria-hidden />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner sideOffset={6} align="end" className={styles['positioner']}>
          <Menu.Popup className={styles['popup']} data-testid="settings-menu">
            <Menu.RadioGroup value={settings.theme} onValueChange={settings.setTheme}>
              <Menu.GroupLabel className={styles['heading']}>Theme</Menu.GroupLabel>
              {THEMES.map((theme) => (
                <Choice key={theme} value={theme} label={THEME_NAMES[theme]} testId={`theme-${theme}`} />
              ))}
            </Menu.RadioGroup>
            <Menu.RadioGroup
              value={settings.relative ? 'ages' : 'dates'}
              onValueChange={(value: string) => settings.setRelative(value === 'ages')}
            >
              <Menu.GroupLabel className={styles['heading']}>Times</Menu.GroupLabel>
              <Choice value="ages" label="Ages: 3m ago" testId="times-ages" />
              <Choice value="dates" label="Dates: 2026-03-01 14:05:09" testId="times-dates" />
            </Menu.RadioGroup>
            <Menu.RadioGroup
              value={settings.hasOwnZone ? settings.zone : 'local'}
              onValueChange={(value: string) => settings.setZone(value === 'local' ? null : value)}
            >
              <Menu.GroupLabel className={styles['heading']}>Time zone</Menu.GroupLabel>
              <Choice value="local" label="Of this computer" testId="zone-local" />
              {zones.map((zone) => (
                <Choice key={zone} value={zone} label={zone.replaceAll('_', ' ')} testId={`zone-${zone}`} />
              ))}
            </Menu.RadioGroup>
            {session.data?.principal == null ? null : (
              <Menu.Group>
                <Menu.GroupLabel className={styles['heading']}>Signed in as {session.data.principal}</Menu.GroupLabel>
                <Menu.LinkItem href="/ui/sign-out" className={styles['item']} data-testid="sign-out">
                  <span className={styles['check']} />
                  Sign out
                </Menu.LinkItem>
              </Menu.Group>
            )}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  )
}

function Choice(props: { readonly value: string; readonly label: string; readonly testId: string }): ReactNode {
  return (
    <Menu.RadioItem value={props.value} className={styles['item']} data-testid={props.testId}>
      <span className={styles['check']}>
        <Menu.RadioItemIndicator>
          <Check size={15} aria-hidden />
        </Menu.RadioItemIndicator>
      </span>
      {props.label}
    </Menu.RadioItem>
  )
}
