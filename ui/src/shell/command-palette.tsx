import { Autocomplete } from '@base-ui/react/autocomplete'
import { Dialog } from '@base-ui/react/dialog'
import { Search } from 'lucide-react'
import { type ReactNode, useMemo } from 'react'
import { useRead } from '../api/use-read.ts'
import { PAGES } from '../pages.ts'
import { type Settings, useSettings } from '../settings/settings.tsx'
import styles from './command-palette.module.css'
import dialog from './dialog.module.css'

interface Entry {
  /** What is searched. */
  readonly value: string
  readonly label: string
  readonly detail: string
  readonly run: () => void
}

interface Group {
  readonly value: string
  readonly items: readonly Entry[]
}

interface PaletteProps {
  readonly isOpen: boolean
  readonly onOpenChange: (isOpen: boolean) => void
  readonly onGo: (path: string) => void
}

/** Finds pages, runs, agents, hosts and open alerts by their names, and goes there. */
export function CommandPalette({ isOpen, onOpenChange, onGo }: PaletteProps): ReactNode {
  return (
    <Dialog.Root open={isOpen} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Backdrop className={dialog['backdrop']} />
        <Dialog.Popup className={styles['popup']} aria-label="Find or go to" data-testid="palette">
          <Finder
            onRun={(entry) => {
              onOpenChange(false)
              entry.run()
            }}
            onGo={onGo}
          />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function Finder(props: { readonly onRun: (entry: Entry) => void; readonly onGo: (path: string) => void }): ReactNode {
  const groups = useGroups(props.onGo)
  return (
    <Autocomplete.Root
      open
      inline
      items={groups}
      autoHighlight="always"
      keepHighlight
      itemToStringValue={(entry: Entry) => entry.value}
    >
      <Autocomplete.InputGroup className={styles['field']}>
        <Search size={17} aria-hidden />
        <Autocomplete.Input
          className={styles['input']}
          aria-label="Find or go to"
          placeholder="A page, a run, an agent, a host, an alert…"
          data-testid="palette-input"
        />
        <kbd>Esc</kbd>
      </Autocomplete.InputGroup>
      <div className={styles['list']}>
        <Autocomplete.Empty>
          <p className={styles['none']}>Nothing has this name.</p>
        </Autocomplete.Empty>
        <Autocomplete.List>
          {(group: Group) => (
            <Autocomplete.Group key={group.value} items={group.items}>
              <Autocomplete.GroupLabel className={styles['heading']}>{group.value}</Autocomplete.GroupLabel>
              <Autocomplete.Collection>
                {(entry: Entry) => (
                  <Autocomplete.Item
                    key={entry.value}
                    value={entry}
                    className={styles['item']}
                    onClick={() => props.onRun(entry)}
                    data-testid="palette-item"
                  >
                    <span className={styles['label']}>{entry.label}</span>
                    <span className={styles['detail']}>{entry.detail}</span>
                  </Autocomplete.Item>
                )}
              </Autocomplete.Collection>
            </Autocomplete.Group>
          )}
        </Autocomplete.List>
      </div>
    </Autocomplete.Root>
  )
}

const SHOWN = 100

function useGroups(go: (path: string) => void): readonly Group[] {
  const settings = useSettings()
  const runs = useRead('/api/v1/runs', { query: { limit: SHOWN } }).data?.items
  const agents = useRead('/api/v1/agents', { query: { limit: SHOWN } }).data?.items
  const hosts = useRead('/api/v1/hosts').data?.items
  const alerts = useRead('/api/v1/alerts', { query: { state: 'active', limit: SHOWN } }).data?.items
  return useMemo(() => {
    const groups: Group[] = [
      {
        value: 'Pages',
        items: PAGES.filter(({ nav }) => nav !== undefined).map(({ path, title, nav }) => ({
          ...{ value: `page ${title}`, label: title, detail: nav?.key === undefined ? '' : `g ${nav.key}` },
          run: () => go(path),
        })),
      },
      {
        value: 'Runs',
        items: (runs ?? []).map(({ name, status, run_id }) => ({
          ...{ value: `run ${name}`, label: name, detail: status },
          run: () => go(`/runs/${encodeURIComponent(run_id)}`),
        })),
      },
      {
        value: 'Agents',
        items: (agents ?? []).map(({ name, namespace }) => ({
          ...{ value: `agent ${namespace}/${name}`, label: name, detail: namespace },
          run: () => go(`/agents/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`),
        })),
      },
      {
        value: 'Hosts',
        items: (hosts ?? []).map(({ name }) => ({
          ...{ value: `host ${name}`, label: name, detail: 'host' },
          run: () => go(`/hosts/${encodeURIComponent(name)}`),
        })),
      },
      {
        value: 'Alerts',
        items: (alerts ?? []).map(({ id, title, severity }) => ({
          ...{ value: `alert ${title} ${id}`, label: title, detail: severity },
          run: () => go(`/alerts/${id}`),
        })),
      },
      { value: 'This page', items: viewEntries(settings) },
    ]
    return groups.filter(({ items }) => items.length > 0)
  }, [runs, agents, hosts, alerts, go, settings])
}

function viewEntries(settings: Settings): Entry[] {
  return [
    { value: 'theme dark', label: 'Dark', detail: 'theme', run: () => settings.setTheme('dark') },
    { value: 'theme light', label: 'Light', detail: 'theme', run: () => settings.setTheme('light') },
    { value: 'theme system', label: 'As the system', detail: 'theme', run: () => settings.setTheme('system') },
    { value: 'time zone utc', label: 'Times in UTC', detail: 'time zone', run: () => settings.setZone('UTC') },
    { value: 'time zone local', label: 'Local times', detail: 'time zone', run: () => settings.setZone(null) },
    {
      value: 'time ages dates',
      label: settings.relative ? 'Times as dates' : 'Times as ages',
      detail: 'times',
      run: () => settings.setRelative(!settings.relative),
    },
  ]
}
