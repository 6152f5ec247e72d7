import { Server } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Host } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { PageFrame } from '../../components/page.tsx'
import { Slots } from '../../components/slots.tsx'
import { Empty, Failure } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { bytes, percent } from '../../text/numbers.ts'
import { FleetNav } from './fleet-nav.tsx'
import { hostState, hostTone } from './host-state.ts'

const COLUMNS: readonly Column<Host>[] = [
  { id: 'name', header: 'Host', width: 'minmax(7rem, 1fr)', cell: (host) => host.name },
  {
    id: 'state',
    header: 'State',
    width: '7rem',
    cell: (host) => <Status value={hostState(host)} tone={hostTone(host)} look="plain" title={host.message} />,
  },
  {
    id: 'slots',
    header: 'Slots',
    width: 'minmax(5rem, 1fr)',
    from: 400,
    cell: ({ name, slots }) => <Slots label={`Slots of ${name}`} used={slots.used} total={slots.total} />,
  },
  {
    id: 'used',
    header: 'Used',
    width: '4.5rem',
    from: 560,
    align: 'end',
    cell: ({ slots }) => `${slots.used} of ${slots.total}`,
  },
  {
    id: 'cpu',
    header: 'CPU',
    width: '4rem',
    from: 700,
    align: 'end',
    cell: ({ metrics }) => (metrics === null ? '–' : percent(metrics.cpu)),
  },
  {
    id: 'memory',
    header: 'Memory',
    width: '6rem',
    from: 780,
    align: 'end',
    cell: ({ metrics }) => (metrics === null ? '–' : bytes(metrics.memory_used)),
  },
  { id: 'connection', header: 'Connection', width: '5.5rem', from: 1000, cell: (host) => host.connection },
  { id: 'role', header: 'Role', width: '5rem', from: 1090, cell: (host) => host.role },
  {
    id: 'message',
    header: 'Message',
    width: 'minmax(8rem, 1.4fr)',
    from: 1240,
    cell: (host) => host.unfit ?? host.message,
  },
  {
    id: 'heartbeat',
    header: 'Heartbeat',
    width: '5.5rem',
    from: 480,
    align: 'end',
    cell: (host) => <Time at={host.last_heartbeat_at} />,
  },
]

/** The machines agents run on, with what each has left. */
export function Page(): ReactNode {
  const hosts = useRead('/api/v1/hosts', {}, { everyMs: 10_000 })
  return (
    <PageFrame
      title="Hosts"
      lead="The machines agents run on. An agent takes a slot of a host whose labels fit, or waits until one is free."
    >
      <FleetNav />
      {hosts.error !== null && hosts.data === undefined ? (
        <Failure error={hosts.error} onRetry={() => void hosts.refetch()} />
      ) : (
        <DataTable
          label="Hosts"
          columns={COLUMNS}
          rows={hosts.data?.items ?? []}
          rowKey={({ name }) => name}
          href={({ name }) => `/hosts/${name}`}
          isLoud={({ ready }) => !ready}
          isLoading={hosts.isPending}
          empty={
            <Empty title="There is no host" icon={Server}>
              <Command
                label="Make a token, then join with it on the other machine"
                command="stateward host token create --ttl 1h"
                testId="hosts-token"
              />
            </Empty>
          }
          testId="hosts"
        />
      )}
    </PageFrame>
  )
}
