import { type ReactNode, useEffect } from 'react'
import { Link } from '../components/link.tsx'
import { NAV_GROUPS, PAGES } from '../pages.ts'
import { classNames } from '../text/class-names.ts'
import { Logo } from './logo.tsx'
import styles from './sidebar.module.css'

/** Where one can go. On narrow screens it lies over the page while it is open. */
export function Sidebar(props: {
  readonly path: string
  readonly isOpen: boolean
  readonly onClose: () => void
}): ReactNode {
  const { path, isOpen, onClose } = props
  // Whoever went somewhere is done with it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the change of the path that counts
  useEffect(() => onClose(), [path])
  useEffect(() => {
    if (!isOpen) return
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') onClose()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [isOpen, onClose])
  return (
    <>
      <div className={classNames(styles['shade'], isOpen && styles['open'])} onClick={onClose} aria-hidden />
      <nav id="navigation" className={classNames(styles['sidebar'], isOpen && styles['open'])} aria-label="Pages">
        <Link href="/" className={styles['brand']} data-testid="nav-home">
          <Logo />
          <span>Stateward</span>
        </Link>
        {NAV_GROUPS.map((group) => {
          const pages = PAGES.filter(({ nav }) => nav?.group === group)
          if (pages.length === 0) return null
          return (
            <div key={group} className={styles['group']}>
              {group === '' ? null : <h2 className={styles['heading']}>{group}</h2>}
              <ul>
                {pages.map(({ path: to, title, nav }) => {
                  const Icon = nav!.icon
                  const isHere = [to, ...(nav?.also ?? [])].some(
                    (each) => path === each || (each !== '/' && path.startsWith(`${each}/`)),
                  )
                  return (
                    <li key={to}>
                      <Link
                        href={to}
                        className={classNames(styles['link'], isHere && styles['here'])}
                        aria-current={isHere ? 'page' : undefined}
                        data-testid={`nav-${to === '/' ? 'overview' : to.slice(1)}`}
                      >
                        <Icon size={17} aria-hidden />
                        {title}
                      </Link>
                    </li>
                  )
                })}
              </ul>
            </div>
          )
        })}
      </nav>
    </>
  )
}
