import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Commit } from '../../components/commit.tsx'
import { Card } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { money, whole } from '../../text/numbers.ts'
import styles from './costs.module.css'

const SHOWN = 10

/** Which commits made it dearer, or cheaper. */
export function Blame({ since }: { readonly since: string }): ReactNode {
  const blame = useRead('/api/v1/costs/blame', { query: { since } })
  return (
    <Card title="Since which commit" flush testId="cost-blame">
      <Loaded of={blame} lines={4}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No run cost anything in this time">
              What a run costs is set against the version of its blueprint.
            </Empty>
          ) : (
            <div className={styles['scroller']} tabIndex={0} role="region" aria-label="Costs by commit">
              <table className={styles['table']}>
                <thead>
                  <tr>
                    <th scope="col">Of</th>
                    <th scope="col">Commit</th>
                    <th scope="col">Since</th>
                    <th scope="col">Runs</th>
                    <th scope="col">Each</th>
                    <th scope="col">Before</th>
                    <th scope="col">In all</th>
                  </tr>
                </thead>
                <tbody>
                  {items.slice(0, SHOWN).map((each) => (
                    <tr key={`${each.kind}/${each.namespace}/${each.name}/${each.revision}`}>
                      <th scope="row">
                        {each.kind.toLowerCase()} {each.name}
                      </th>
                      <td>
                        <Commit id={each.revision} /> {each.actor}
                      </td>
                      <td>
                        <Time at={each.first_at} />
                      </td>
                      <td>{whole(each.runs)}</td>
                      <td>{money(each.per_run_usd)}</td>
                      <td>{each.before_per_run_usd === null ? '–' : money(each.before_per_run_usd)}</td>
                      <td>{money(each.amount_usd)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </Card>
  )
}
