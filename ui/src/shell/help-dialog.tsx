import { Dialog } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { PAGES } from '../pages.ts'
import styles from './dialog.module.css'

const KEYS: readonly (readonly [keys: readonly string[], does: string])[] = [
  [['Ctrl', 'K'], 'find or go to something'],
  [['/'], 'search on this page'],
  [['?'], 'this help'],
  [['↑', '↓'], 'move in a table; j and k do the same'],
  [['Enter'], 'open the row'],
  [['Esc'], 'close what is open'],
]

interface HelpProps {
  readonly isOpen: boolean
  readonly onOpenChange: (isOpen: boolean) => void
}

/** The keys, and how to change something from a page that only reads. */
export function HelpDialog({ isOpen, onOpenChange }: HelpProps): ReactNode {
  return (
    <Dialog.Root open={isOpen} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Backdrop className={styles['backdrop']} />
        <Dialog.Popup className={styles['popup']} data-testid="help">
          <header className={styles['header']}>
            <Dialog.Title className={styles['title']}>Help</Dialog.Title>
            <Dialog.Close className={styles['close']} aria-label="Close" data-testid="help-close">
              <X size={17} aria-hidden />
            </Dialog.Close>
          </header>
          <Dialog.Description className={styles['text']}>
            This page only reads. Wherever something can be done, it shows the exact command to copy; the change itself
            is a commit, or a verb that is recorded.
          </Dialog.Description>
          <div className={styles['columns']}>
            <dl className={styles['keys']}>
              {KEYS.map(([keys, does]) => (
                <div key={does}>
                  <dt>
                    {keys.map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
            <dl className={styles['keys']}>
              {PAGES.flatMap(({ path, title, nav }) =>
                nav?.key === undefined ? (
                  []
                ) : (
                  <div key={path}>
                    <dt>
                      <kbd>g</kbd>
                      <kbd>{nav.key}</kbd>
                    </dt>
                    <dd>{title}</dd>
                  </div>
                ),
              )}
            </dl>
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
