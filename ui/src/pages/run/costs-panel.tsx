import type { ReactNode } from 'react'
import type { Cost } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { Stack } from '../../components/layout.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { money, whole } from '../../text/numbers.ts'
import styles from './run.module.css'

const COST_COLUMNS: readonly Column<Cost>[] = [
  {
    id: 'what',
    header: 'What',
    width: 'minmax(9rem, 2fr)',
    cell: ({ model, tool, agent, note }) => model ?? tool ?? agent ?? note ?? '–',
  },
  { id: 'step', header: 'Step', width: 'minmax(6rem, 1fr)', cell: ({ step }) => step ?? '–' },
  {
    id: 'usage',
    header: 'Who says so',
    width: '7rem',
    cell: ({ usage }) => <span className="quiet">{usage}</span>,
    from: 700,
  },
  { id: 'tokens', header: 'Tokens', width: '6rem', align: 'end', cell: ({ tokens }) => whole(tokens), from: 480 },
  { id: 'amount', header: 'Amount', width: '6rem', align: 'end', cell: ({ amount_usd }) => money(amount_usd) },
  {
    id: 'at',
    header: 'When',
    width: '6rem',
    align: 'end',
    cell: ({ occurred_at }) => <Time at={occurred_at} />,
    from: 560,
  },
]

/** What a run, or one step of it, cost. */
export function CostsPanel(props: { readonly runId: string; readonly step?: string }): ReactNode {
  const costs = useRead('/api/v1/costs', { query: { run: props.runId, limit: 1000 } })
  return (
    <Loaded of={costs} lines={5}>
      {({ items }) => {
        const own = items.filter(({ step }) => props.step === undefined || step === props.step)
        if (own.length === 0)
          return <Empty title="Nothing was spent">Models and tools that cost something show here.</Empty>
        const sum = own.reduce((total, { amount_usd }) => total + Number(amount_usd), 0)
        const tokens = own.reduce((total, each) => total + each.tokens, 0)
        return (
          <Stack>
            <dl className={styles['total']}>
              <div>
                <dt>Spent</dt>
                <dd>{money(sum)}</dd>
              </div>
              <div>
                <dt>Tokens</dt>
                <dd>{whole(tokens)}</dd>
              </div>
            </dl>
            <DataTable
              label="Costs"
              columns={COST_COLUMNS}
              rows={own}
              rowKey={({ id }) => id}
              empty={null}
              testId="costs"
            />
          </Stack>
        )
      }}
    </Loaded>
  )
}
