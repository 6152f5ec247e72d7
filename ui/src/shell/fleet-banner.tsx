import { OctagonPause } from 'lucide-react'
import type { ReactNode } from 'react'
import { useRead } from '../api/use-read.ts'
import { Command } from '../components/command.tsx'
import { Time } from '../components/time.tsx'
import styles from './fleet-banner.module.css'

/** The whole fleet is halted: on every page, with what lets it go on. */
export function FleetBanner(): ReactNode {
  const { data } = useRead('/api/v1/fleet')
  if (data === undefined || !data.frozen) return null
  return (
    <section className={styles['banner']} aria-label="The fleet is frozen" data-testid="fleet-frozen">
      <OctagonPause size={20} aria-hidden />
      <p className={styles['text']}>
        <strong>The fleet is frozen</strong>
        {data.by === null ? '' : ` by ${data.by}`} <Time at={data.since} />
        {data.reason === null ? '' : `: ${data.reason}`}
      </p>
      <Command command="stateward unfreeze" testId="unfreeze" />
    </section>
  )
}
