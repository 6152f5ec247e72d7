import { BellOff } from 'lucide-react'
import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Line, Lines, More } from '../../components/lines.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { StatusIcon } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { short } from '../../text/numbers.ts'

const SHOWN = 6
const ORDER = ['critical', 'warning', 'info']

/** Alerts nobody has resolved: the worst first, and of those the newest. */
export function Alerts(): ReactNode {
  const dashboard = useRead('/api/v1/dashboard')
  return (
    <Loaded of={dashboard} lines={3}>
      {({ alerts }) =>
        alerts.length === 0 ? (
          <Empty title="No alert is open" icon={BellOff}>
            Rules raise them by themselves; <code>stateward alerts rules</code> lists those.
          </Empty>
        ) : (
          <>
            <Lines>
              {alerts
                .toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity))
                .slice(0, SHOWN)
                .map(({ id, title, message, severity, state, last_raised_at: at, count }) => (
                  <Line
                    key={id}
                    testId="overview-alert"
                    icon={<StatusIcon value={severity} />}
                    title={title}
                    href={`/alerts/${id}`}
                    detail={[
                      state,
                      ...(count > 1 ? [`raised ${short(count)} times`] : []),
                      ...(message === '' || message === title ? [] : [message]),
                    ].join(' · ')}
                    end={<Time at={at} />}
                  />
                ))}
            </Lines>
            <More href="/alerts">{alerts.length > SHOWN ? `All ${alerts.length} alerts` : 'All alerts'}</More>
          </>
        )
      }
    </Loaded>
  )
}
