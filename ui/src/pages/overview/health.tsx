import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Link } from '../../components/link.tsx'
import { Loaded } from '../../components/states.tsx'
import { whole } from '../../text/numbers.ts'
import styles from './health.module.css'

/** How many of the declared objects are Ready, and the kinds of those that are not. */
export function Health(): ReactNode {
  const overview = useRead('/api/v1/overview')
  return (
    <Loaded of={overview} lines={4}>
      {({ objects }) => {
        const sum = (part: 'ready' | 'not_ready' | 'unknown' | 'suspended'): number =>
          objects.reduce((total, each) => total + each[part], 0)
        const [ready, not, unknown, suspended] = [sum('ready'), sum('not_ready'), sum('unknown'), sum('suspended')]
        const all = ready + not + unknown
        const troubled = objects.filter((each) => each.not_ready + each.unknown > 0)
        return (
          <div className={styles['health']}>
            <p className={styles['figure']} data-testid="health-ready">
              <strong>{whole(ready)}</strong>
              <span>of {whole(all)} objects are ready</span>
            </p>
            <div className={styles['bar']} aria-hidden>
              <span className={styles['good']} style={{ flexGrow: ready }} />
              <span className={styles['bad']} style={{ flexGrow: not }} />
              <span className={styles['idle']} style={{ flexGrow: unknown }} />
            </div>
            <ul className={styles['kinds']}>
              {troubled.map(({ kind, not_ready, unknown: silent }) => (
                <li key={kind}>
                  <Link href={`/resources?kind=${kind}&ready=${not_ready > 0 ? 'False' : 'Unknown'}`}>{kind}</Link>
                  {not_ready > 0 ? ` ${not_ready} not ready` : ''}
                  {not_ready > 0 && silent > 0 ? ',' : ''}
                  {silent > 0 ? ` ${silent} unknown` : ''}
                </li>
              ))}
              {suspended > 0 ? <li>{suspended} suspended</li> : null}
              {troubled.length === 0 && suspended === 0 ? <li>Nothing is failing, nothing is suspended.</li> : null}
            </ul>
          </div>
        )
      }}
    </Loaded>
  )
}
