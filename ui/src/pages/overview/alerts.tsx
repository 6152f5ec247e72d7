import { BellOff } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Alert } from '../../api/reads.ts'
import { Line, Lines, More } from '../../components/lines.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { StatusIcon } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { short } from '../../text/numbers.ts'
import { useActiveAlerts } from './use-active-alerts.ts'

const SHOWN = 6

/** Alerts nobody has resolved. */
export function Alerts(): ReactNode {
  const { alerts, error, refetch } = useActiveAlerts()
  return (
    <Loaded of={{ data: alerts, error, refetch }} lines={3}>
      {(active) =>
        active.length === 0 ? (
          <Empty title="No alert is open" icon={BellOff}>
            Rules raise them by themselves; <code>stateward alerts rules</code> lists those.
          </Empty>
        ) : (
          <>
            <Lines>
              {active.slice(0, SHOWN).map((alert) => (
                <Line
                  key={alert.id}
                  testId="overview-alert"
                  icon={<StatusIcon value={alert.severity} />}
                  title={alert.title}
                  href={`/alerts/${alert.id}`}
                  detail={detailOf(alert)}
                  end={<Time at={alert.last_raised_at} />}
                />
              ))}
            </Lines>
            <More href="/alerts">All alerts</More>
          </>
        )
      }
    </Loaded>
  )
}

function detailOf({ state, count, message, title }: Alert): string {
  return [
    state,
    ...(count > 1 ? [`raised ${short(count)} times`] : []),
    ...(message === '' || message === title ? [] : [message]),
  ].join(' · ')
}
