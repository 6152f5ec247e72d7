import { Wallet } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Budget } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { Meter } from '../../components/meter.tsx'
import { Card } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { money } from '../../text/numbers.ts'
import { commandLine, inNamespace } from '../../text/shell.ts'
import styles from './costs.module.css'

/** Every budget with what is gone, what is kept for what runs, and where it will end. */
export function Budgets(): ReactNode {
  const budgets = useRead('/api/v1/budgets', { query: { limit: 200 } })
  return (
    <Card title="Budgets" flush testId="budgets">
      <Loaded of={budgets} lines={4}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No budget is declared" icon={Wallet}>
              Without one no paid model is asked. Commit a document of kind <code>Budget</code>:{' '}
              <code>kubectl explain budget.spec</code>
            </Empty>
          ) : (
            <ul className={styles['budgets']}>
              {items.map((budget) => (
                <BudgetItem key={`${budget.namespace}/${budget.name}`} budget={budget} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  )
}

function BudgetItem({ budget }: { readonly budget: Budget }): ReactNode {
  const [used, reserved, max, forecast] = [
    budget.used_usd,
    budget.reserved_usd,
    budget.max_usd,
    budget.forecast_usd,
  ].map(Number) as [number, number, number, number]
  const share = max <= 0 ? 1 : (used + reserved) / max
  const isOver = budget.exhausted_at !== null || share >= 1
  const goesOver = !isOver && forecast > max
  return (
    <li className={styles['budget']}>
      <div className={styles['budgetHead']}>
        <strong>
          {budget.namespace === 'default' ? '' : `${budget.namespace}/`}
          {budget.name}
        </strong>
        <span className="faint">
          {budget.scope.kind.toLowerCase()} {budget.scope.name}, {budget.window}
        </span>
        {isOver ? (
          <Status value="exhausted" />
        ) : goesOver ? (
          <Status value="will not last" tone="warn" />
        ) : (
          <Status value="in bounds" tone="good" />
        )}
      </div>
      <Meter
        label={`Budget ${budget.name}`}
        value={used + reserved}
        max={max}
        mark={forecast}
        tone={isOver ? 'bad' : goesOver ? 'warn' : 'accent'}
        text={`${money(used + reserved)} of ${money(max)}`}
      />
      <p className="faint">
        {money(used)} used{reserved === 0 ? '' : `, ${money(reserved)} kept for what runs`}, of {money(max)};{' '}
        {money(forecast)} when the window ends
        {budget.runs_out_at === null ? '' : ', gone '}
        {budget.runs_out_at === null ? null : <Time at={budget.runs_out_at} />}; when it is gone:{' '}
        {budget.action.toLowerCase()}
      </p>
      {isOver || goesOver ? (
        <Command
          label="Propose a higher one"
          command={commandLine(
            'stateward',
            'budget',
            'raise',
            budget.name,
            ...inNamespace(budget.namespace),
            '--to',
            String(Math.ceil(Math.max(forecast, max * 1.5))),
          )}
          testId={`budget-raise-${budget.name}`}
        />
      ) : null}
    </li>
  )
}
