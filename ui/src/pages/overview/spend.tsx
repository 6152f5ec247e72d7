import { Wallet } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Answer } from '../../api/get.ts'
import { useRead } from '../../api/use-read.ts'
import { Link } from '../../components/link.tsx'
import { Meter } from '../../components/meter.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { money, percent } from '../../text/numbers.ts'
import styles from './spend.module.css'

type Budget = Answer<'/api/v1/budgets'>['items'][number]

const SHOWN = 5

/** What is spent of each budget, and what the forecast says of its end. */
export function Spend(): ReactNode {
  const budgets = useRead('/api/v1/budgets')
  const forecast = useRead('/api/v1/costs/forecast')
  return (
    <div className={styles['spend']}>
      <Loaded of={forecast} lines={2}>
        {({ total }) => (
          <p className={styles['figure']} data-testid="spend-total">
            <strong>{money(total.window_usd)}</strong>
            <span>this month, {money(total.forecast_usd)} by its end</span>
          </p>
        )}
      </Loaded>
      <Loaded of={budgets} lines={3}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No budget" icon={Wallet}>
              Without one, paid models are not asked. A Budget is a file in the state repo.
            </Empty>
          ) : (
            <ul className={styles['budgets']}>
              {[...items]
                .sort(byShare)
                .slice(0, SHOWN)
                .map((budget) => (
                  <BudgetLine key={`${budget.namespace}/${budget.name}`} budget={budget} />
                ))}
            </ul>
          )
        }
      </Loaded>
      <p className={styles['more']}>
        <Link href="/costs">Where it goes</Link>
      </p>
    </div>
  )
}

function shareOf({ used_usd: used, max_usd: max }: Budget): number {
  return Number(max) === 0 ? 1 : Number(used) / Number(max)
}

function byShare(a: Budget, b: Budget): number {
  return shareOf(b) - shareOf(a)
}

function BudgetLine({ budget }: { readonly budget: Budget }): ReactNode {
  const { name, scope, used_usd: used, max_usd: max, forecast_usd: forecast, runs_out_at: end } = budget
  const share = shareOf(budget)
  const isOver = Number(forecast) > Number(max)
  const text = `${money(used)} of ${money(max)}`
  return (
    <li className={styles['budget']} data-testid="overview-budget">
      <p className={styles['names']}>
        <span className={styles['name']} title={`${scope.kind} ${scope.name}`}>
          {name}
        </span>
        <span className="numeric">{text}</span>
      </p>
      <Meter
        label={`Budget ${name}`}
        value={Number(used)}
        max={Number(max)}
        text={text}
        mark={Number(forecast)}
        tone={share >= 1 ? 'bad' : share >= 0.8 || isOver ? 'warn' : 'accent'}
      />
      <p className={styles['forecast']}>
        {percent(share)} spent, forecast {money(forecast)}
        {end === null ? '' : ', spent '}
        {end === null ? null : <Time at={end} />}
      </p>
    </li>
  )
}
