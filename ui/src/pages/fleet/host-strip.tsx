import type { ReactNode } from 'react'
import type { Host } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { Link } from '../../components/link.tsx'
import { Slots } from '../../components/slots.tsx'
import { Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { whole } from '../../text/numbers.ts'
import styles from './fleet.module.css'
import { byNeed, hostState, hostTone } from './host-state.ts'

const SHOWN = 8

/** The hosts in a row: what each has left. */
export function HostStrip(): ReactNode {
  const hosts = useRead('/api/v1/hosts', {}, { everyMs: 10_000 })
  return (
    <div className={styles['strip']} data-testid="host-strip">
      <Loaded of={hosts} lines={2}>
        {({ items }) => (
          <>
            <ul className={styles['hosts']} aria-label="Hosts">
              {items
                .toSorted(byNeed)
                .slice(0, SHOWN)
                .map((host) => (
                  <HostTile key={host.name} host={host} />
                ))}
            </ul>
            {items.length <= SHOWN ? null : (
              <p className="faint">
                <Link href="/hosts">All {whole(items.length)} hosts</Link>: these need a look first, or are the fullest.
              </p>
            )}
          </>
        )}
      </Loaded>
    </div>
  )
}

function HostTile({ host }: { readonly host: Host }): ReactNode {
  const { total, used } = host.slots
  return (
    <li className={styles['tile']}>
      <div className={styles['tileHead']}>
        <Link href={`/hosts/${host.name}`} className={styles['tileName']} data-testid={`host-${host.name}`}>
          {host.name}
        </Link>
        <Status value={hostState(host)} tone={hostTone(host)} look="plain" title={host.message} />
      </div>
      <Slots label={`Slots of ${host.name}`} used={used} total={total} />
      <p className="faint">
        {used} of {total} slots, {host.instances} {host.instances === 1 ? 'instance' : 'instances'}
      </p>
    </li>
  )
}
