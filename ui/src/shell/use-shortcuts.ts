import { useEffect, useRef } from 'react'
import { PAGES } from '../pages.ts'

interface Actions {
  openPalette(): void
  openHelp(): void
  goTo(path: string): void
}

const SEQUENCE_MS = 1_000

/** Keys that work on every page: Ctrl-K (or ⌘K), `/`, `?`, and `g` followed by the key of a page. */
export function useShortcuts(actions: Actions): void {
  const latest = useRef(actions)
  latest.current = actions
  useEffect(() => {
    let wentAt = Number.NEGATIVE_INFINITY
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        latest.current.openPalette()
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isInDialog()) return
      const isSecond = performance.now() - wentAt < SEQUENCE_MS
      wentAt = Number.NEGATIVE_INFINITY
      const page = isSecond ? PAGES.find(({ nav }) => nav?.key === event.key) : undefined
      if (page !== undefined) latest.current.goTo(page.path)
      else if (event.key === 'g') wentAt = performance.now()
      else if (event.key === '?') latest.current.openHelp()
      else if (event.key === '/') focusSearch(() => latest.current.openPalette())
      else return
      event.preventDefault()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}

/** The search of the page; where it has none, the palette. */
function focusSearch(otherwise: () => void): void {
  const field = document.querySelector<HTMLInputElement>('[data-page-search]')
  if (field === null) {
    otherwise()
    return
  }
  field.focus()
  field.select()
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'))
}

function isInDialog(): boolean {
  return document.querySelector('[role="dialog"]') !== null
}
