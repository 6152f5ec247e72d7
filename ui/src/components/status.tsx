import { CircleCheck, CircleDashed, CircleX, Clock3, LoaderCircle, type LucideIcon, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { classNames } from '../text/class-names.ts'
import styles from './status.module.css'
import { type Tone, toneOf } from './status-tone.ts'

const ICONS: Readonly<Record<Tone, LucideIcon>> = {
  good: CircleCheck,
  busy: LoaderCircle,
  wait: Clock3,
  warn: TriangleAlert,
  bad: CircleX,
  idle: CircleDashed,
}

interface StatusProps {
  /** The word itself: `running`, `Failed`, … */
  readonly value: string
  /** Where the word alone would be taken for something else. Default: by the word. */
  readonly tone?: Tone
  /** `plain` leaves out the background: in tables; `word` the icon, too: beside one. Default: pill. */
  readonly look?: 'pill' | 'plain' | 'word'
  readonly title?: string | undefined
}

/** A state, said by word, icon and colour. */
export function Status({ value, tone = toneOf(value), look = 'pill', title }: StatusProps): ReactNode {
  const Icon = ICONS[tone]
  return (
    <span className={classNames(styles['status'], styles[tone], styles[look])} title={title}>
      {look === 'word' ? null : (
        <Icon size={14} aria-hidden className={tone === 'busy' ? styles['turning'] : undefined} />
      )}
      <span className={styles['text']}>{value.replaceAll('_', ' ')}</span>
    </span>
  )
}

/** The icon alone, with the word for those who do not see it. */
export function StatusIcon({ value, tone = toneOf(value) }: Pick<StatusProps, 'value' | 'tone'>): ReactNode {
  const Icon = ICONS[tone]
  return (
    <span className={classNames(styles['icon'], styles[tone])} title={value}>
      <Icon size={16} aria-hidden className={tone === 'busy' ? styles['turning'] : undefined} />
      <span className="visually-hidden">{value}</span>
    </span>
  )
}
