import { Server } from 'lucide-react'
import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Line, Lines, More } from '../../components/lines.tsx'
import { Meter } from '../../components/meter.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { percent } from '../../text/numbers.ts'
import { byNeed } from '../fleet/host-state.ts'

const SHOWN = 6

/** Machines agents run on, and how many slots of each are taken. */
export function Hosts(): ReactNode {
  const hosts = useRead('/api/v1/hosts', {}, { everyMs: 15_000 })
  return (
    <Loaded of={hosts} lines={3}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty title="No host" icon={Server}>
            The machine of the controller is a host once it is declared in the state repo.
          </Empty>
        ) : (
          <>
            <Lines>
              {items
                .toSorted(byNeed)
                .slice(0, SHOWN)
                .map(({ name, ready, schedulable, message, slots, metrics, hardware }) => (
                  <Line
                    key={name}
                    testId="overview-host"
                    title={name}
                    href={`/hosts/${encodeURIComponent(name)}`}
                    detail={`${slots.used} of ${slots.total} slots${metrics?.cpu == null ? '' : `, processors ${percent(metrics.cpu)}`}${metrics?.memory_used == null || hardware?.memory == null ? '' : `, memory ${percent(metrics.memory_used / hardware.memory)}`}`}
                    end={
                      <Status
                        value={ready ? (schedulable ? 'Ready' : 'Cordoned') : 'Not ready'}
                        tone={ready ? (schedulable ? 'good' : 'warn') : 'bad'}
                        title={message}
                      />
                    }
                    below={
                      <Meter
                        label={`Slots of ${name}`}
                        value={slots.used}
                        max={slots.total}
                        text={`${slots.used} of ${slots.total} slots`}
                      />
                    }
                  />
                ))}
            </Lines>
            {items.length > SHOWN ? <More href="/hosts">All {items.length} hosts</More> : null}
          </>
        )
      }
    </Loaded>
  )
}
