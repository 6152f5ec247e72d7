import { Hand } from 'lucide-react'
import type { ReactNode } from 'react'
import { Command } from '../../components/command.tsx'
import { CutName } from '../../components/cut-name.tsx'
import { Line, Lines, More } from '../../components/lines.tsx'
import { Empty, Failure, Skeleton } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { useWaiting } from './use-waiting.ts'
import styles from './waiting.module.css'

const SHOWN = 40

/** What goes on only when a person says so, with what that person types. */
export function Waiting(): ReactNode {
  const { items, isMore, isPending, error } = useWaiting()
  if (items.length === 0 && error !== null) return <Failure error={error} />
  if (items.length === 0 && isPending) return <Skeleton lines={4} />
  if (items.length === 0)
    return (
      <Empty title="Nothing waits for you" icon={Hand}>
        Gates, changes that need an approval, and open proposals stand here, with the commands that decide them.
      </Empty>
    )
  return (
    <div className={styles['scroll']} tabIndex={0} role="region" aria-label="What waits">
      <Lines>
        {items.slice(0, SHOWN).map((item, at) => (
          <Line
            key={item.key}
            testId="waiting-item"
            title={item.what === 'gate' ? <CutName name={item.title} /> : item.title}
            href={item.href}
            detail={item.detail}
            end={
              <>
                {item.since === null ? null : <Time at={item.since} />}
                <Status value={item.kind} tone="wait" />
              </>
            }
            below={
              <details className={styles['commands']} open={at === 0}>
                <summary data-testid="waiting-commands">What to type</summary>
                <div className={styles['list']}>
                  {item.commands.map(({ label, command }) => (
                    <Command key={label} label={label} command={command} />
                  ))}
                </div>
              </details>
            }
          />
        ))}
      </Lines>
      {isMore || items.length > SHOWN ? <More href="/approvals">All that waits</More> : null}
    </div>
  )
}
