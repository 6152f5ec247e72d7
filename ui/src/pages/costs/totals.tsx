import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Loaded } from '../../components/states.tsx'
import { money, short } from '../../text/numbers.ts'
import styles from './costs.module.css'

/** The few numbers that count: spent, where the month goes, and how many tokens that is. */
export function Totals(props: {
  readonly group: string
  readonly since: string
  readonly rangeText: string
}): ReactNode {
  const { group, since, rangeText } = props
  const summary = useRead('/api/v1/costs/summary', { query: { group_by: `${group},day`, since } })
  const forecast = useRead('/api/v1/costs/forecast', { query: { window: 'month', group_by: 'project' } })
  return (
    <dl className={styles['totals']} data-testid="cost-totals">
      <Total term={`Spent in ${rangeText}`}>
        <Loaded of={summary} lines={1}>
          {({ total }) => money(total.amount_usd)}
        </Loaded>
      </Total>
      <Total term="Tokens in that time">
        <Loaded of={summary} lines={1}>
          {({ total }) => short(total.tokens)}
        </Loaded>
      </Total>
      <Total term="This month so far">
        <Loaded of={forecast} lines={1}>
          {({ total }) => money(total.window_usd)}
        </Loaded>
      </Total>
      <Total term="This month at that pace">
        <Loaded of={forecast} lines={1}>
          {({ total }) => money(total.forecast_usd)}
        </Loaded>
      </Total>
    </dl>
  )
}

function Total({ term, children }: { readonly term: string; readonly children: ReactNode }): ReactNode {
  return (
    <div className={styles['total']}>
      <dt>{term}</dt>
      <dd className="numeric">{children}</dd>
    </div>
  )
}
