import { Radio, Unplug } from 'lucide-react'
import type { ReactNode } from 'react'
import { useLiveStatus } from '../live/live-context.tsx'
import { useNow } from '../settings/clock.tsx'
import { classNames } from '../text/class-names.ts'
import { ago } from '../text/time.ts'
import styles from './live-badge.module.css'

/** Whether what the page shows is how things are, or how old it is. */
export function LiveBadge(): ReactNode {
  const { state, seenAt } = useLiveStatus()
  const now = useNow()
  if (state === 'live')
    return (
      <span className={classNames(styles['badge'], styles['live'])} role="status" data-testid="live" data-state={state}>
        <Radio size={15} aria-hidden />
        <span className={styles['word']}>Live</span>
      </span>
    )
  const text =
    state === 'signed-out'
      ? 'Signed out'
      : seenAt === null
        ? 'Connecting…'
        : `Reconnecting… shown as of ${ago(seenAt, now)}`
  return (
    <span className={classNames(styles['badge'], styles['stale'])} role="status" data-testid="live" data-state={state}>
      <Unplug size={15} aria-hidden />
      <span>{text}</span>
    </span>
  )
}
