import { BellOff } from 'lucide-react'
import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { Line, Lines, More } from './lines.tsx'

const SHOWN = 6

/** Alerts nobody has resolved, the newest first. */
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
              {alerts.slice(0, SHOWN).map(({ id, title, message, severity, state, last_raised_at: at, count }) => (
                <Line
                  key={id}
                  testId="overview-alert"
                  title={title}
                  detail={`${state}${count > 1 ? `, raised ${count} times` : ''}${message === '' || message === title ? '' : `: ${message}`}`}
                  end={
                    <>
                      <Time at={at} />
                      <Status value={severity} />
                    </>
                  }
                />
              ))}
            </Lines>
            {alerts.length > SHOWN ? (
              <More href="/events?event_name=stateward.alert.*">All {alerts.length} alerts</More>
            ) : null}
          </>
        )
      }
    </Loaded>
  )
}
