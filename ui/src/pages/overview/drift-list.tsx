import { Equal } from 'lucide-react'
import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { driftCommands } from '../../commands/drift-commands.ts'
import { Command } from '../../components/command.tsx'
import { Line, Lines } from '../../components/lines.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { StatusIcon } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { resourceHref } from '../resources/resource-href.ts'
import styles from './waiting.module.css'

const SHOWN = 5

/** Where live state is not what Git says. */
export function DriftList(): ReactNode {
  const drift = useRead('/api/v1/drift', { query: { limit: SHOWN } })
  return (
    <Loaded of={drift} lines={3}>
      {({ items, next_cursor: next }) =>
        items.length === 0 ? (
          <Empty title="Nothing drifts" icon={Equal}>
            What is live is what Git says.
          </Empty>
        ) : (
          <>
            <Lines>
              {items.map((each) => (
                <Line
                  key={each.id}
                  testId="overview-drift"
                  title={`${each.object.kind} ${each.object.name}`}
                  href={resourceHref(each.object)}
                  detail={`${each.field}: ${each.detail}`}
                  icon={
                    <StatusIcon
                      value={each.enforcing ? 'enforcing' : 'drifted'}
                      tone={each.enforcing ? 'busy' : 'warn'}
                    />
                  }
                  end={<Time at={each.since} />}
                  below={
                    <details className={styles['commands']}>
                      <summary data-testid="drift-commands">What to type</summary>
                      <div className={styles['list']}>
                        {driftCommands(each).map(({ label, command }) => (
                          <Command key={label} label={label} command={command} />
                        ))}
                      </div>
                    </details>
                  }
                />
              ))}
            </Lines>
            {next === null ? null : (
              <div className={styles['pending']}>
                <Command command="stateward drift" label="Everything that differs" />
              </div>
            )}
          </>
        )
      }
    </Loaded>
  )
}
