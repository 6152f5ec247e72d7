import type { ReactNode } from 'react'
import { money } from '../../text/numbers.ts'
import type { CostSeries } from './cost-series.ts'
import styles from './costs.module.css'

/** The numbers of the chart: a line for each day, the latest first. */
export function CostTable(props: {
  readonly group: string
  readonly days: readonly string[]
  readonly series: readonly CostSeries[]
}): ReactNode {
  const { group, days, series } = props
  const shown = days.map((day, place) => ({ day, amounts: series.map(({ amounts }) => amounts[place] ?? 0) })).reverse()
  return (
    <div className={styles['scroller']} tabIndex={0} role="region" aria-label={`Costs by ${group} and day`}>
      <table className={styles['table']} data-testid="cost-table">
        <thead>
          <tr>
            <th scope="col">Day</th>
            {series.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            <th scope="col">All</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ day, amounts }) => (
            <tr key={day}>
              <th scope="row">{day}</th>
              {amounts.map((amount, place) => (
                <td key={series[place]?.name}>{amount === 0 ? '–' : money(amount)}</td>
              ))}
              <td>{money(amounts.reduce((sum, amount) => sum + amount, 0))}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">All days</th>
            {series.map(({ name, total }) => (
              <td key={name}>{money(total)}</td>
            ))}
            <td>{money(series.reduce((sum, { total }) => sum + total, 0))}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  )
}
