import type { ReactNode } from 'react'
import { createContext, useContext, useMemo, useState } from 'react'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

export interface Settings {
  readonly theme: Theme
  /** IANA name; times are shown in it. */
  readonly zone: string
  readonly hasOwnZone: boolean
  /** Times as `3m ago` (true) or as date and time. */
  readonly relative: boolean
  setTheme(theme: Theme): void
  /** Null: the zone of this computer. */
  setZone(zone: string | null): void
  setRelative(relative: boolean): void
}

const SettingsContext = createContext<Settings | null>(null)

/** What somebody prefers, kept in this browser. */
export function SettingsProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [theme, setTheme] = useState<Theme>(() => THEMES.find((each) => each === read('theme')) ?? 'system')
  const [zone, setZone] = useState(() => validZone(read('zone')))
  const [relative, setRelative] = useState(() => read('relative') !== 'false')
  const settings = useMemo(
    (): Settings => ({
      theme,
      zone: zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      hasOwnZone: zone !== null,
      relative,
      setTheme(next) {
        if (next === 'system') delete document.documentElement.dataset['theme']
        else document.documentElement.dataset['theme'] = next
        keep('theme', next)
        setTheme(next)
      },
      setZone(next) {
        keep('zone', next ?? '')
        setZone(validZone(next))
      },
      setRelative(next) {
        keep('relative', String(next))
        setRelative(next)
      },
    }),
    [theme, zone, relative],
  )
  return <SettingsContext value={settings}>{children}</SettingsContext>
}

export function useSettings(): Settings {
  const settings = useContext(SettingsContext)
  if (settings === null) throw new Error('there are no settings here')
  return settings
}

function validZone(zone: string | null): string | null {
  if (zone === null || zone === '') return null
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: zone })
    return zone
  } catch {
    return null
  }
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(`stateward.${name}`)
  } catch {
    // Storage is switched off.
    return null
  }
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`stateward.${name}`, value)
  } catch {
    // Storage is switched off: it holds until the page is left.
  }
}
