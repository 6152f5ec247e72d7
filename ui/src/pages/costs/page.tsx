import { Coins } from 'lucide-react'
import { type ReactNode, useMemo, useState } from 'react'
import type { CostSummary } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { Button } from '../../components/button.tsx'
import { Command } from '../../components/command.tsx'
import { CommandSet } from '../../components/command-set.tsx'
import { FilterBar, useFilters } from '../../components/filters.tsx'
import { Stack } from '../../components/layout.tsx'
import { Card, PageFrame } from '../../components/page.tsx'
import { Segments } from '../../components/segments.tsx'
import { StackedBars } from '../../components/stacked-bars.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Together } from '../../components/together.tsx'
import { money } from '../../text/numbers.ts'
import { Blame } from './blame.tsx'
import { Budgets } from './budgets.tsx'
import { type CostSeries, daysBetween, seriesOf } from './cost-series.ts'
import { CostTable } from './cost-table.tsx'
import { Totals } from './totals.tsx'

const GROUPS = ['model', 'agent', 'project', 'provider', 'blueprint', 'tool'] as const
type Group = (typeof GROUPS)[number]
const GROUP_CHOICES = GROUPS.map((group) => [group, group] as const)
const RANGES = [
  ['7', '7 days'],
  ['30', '30 days'],
  ['90', '90 days'],
] as const
const DAY_MS = 86_400_000
/** Groups that can stand together in one answer with so many days. */
const MOST_SUMS = 1_000

/** What is spent on what: day by day, against budgets, and since which commit. */
export function Page(): ReactNode {
  const [filters, setFilter] = useFilters('by', 'days', 'view')
  const group = GROUPS.find((each) => each === filters.by) ?? 'model'
  const count = RANGES.find(([days]) => days === filters.days)?.[0] ?? '30'
  const [today] = useState(() => new Date())
  const days = useMemo(
    () => daysBetween(new Date(today.getTime() - (Number(count) - 1) * DAY_MS), today),
    [today, count],
  )
  const since = `${days[0]}T00:00:00.000Z`
  const summary = useRead('/api/v1/costs/summary', { query: { group_by: `${group},day`, since } })
  const budgets = useRead('/api/v1/budgets', { query: { limit: 200 } })
  const blame = useRead('/api/v1/costs/blame', { query: { since } })
  return (
    <PageFrame
      title="Costs"
      lead="From the ledger: what agents and tools reported, what tools declare that they cost, and what was reserved and never reported. Days are UTC."
    >
      <Totals group={group} since={since} rangeText={RANGES.find(([value]) => value === count)?.[1] ?? ''} />
      <Card
        title={`By ${group} and day`}
        testId="cost-by-day"
        aside={
          <Button
            onClick={() => setFilter('view', filters.view === 'table' ? '' : 'table')}
            pressed={filters.view === 'table'}
            testId="cost-view"
          >
            As a table
          </Button>
        }
      >
        <Stack>
          <FilterBar>
            <Segments
              label="Sum up by"
              value={group}
              choices={GROUP_CHOICES}
              onChange={(value) => setFilter('by', value)}
              testId="cost-group"
            />
            <Segments
              label="In the last"
              value={count}
              choices={RANGES}
              onChange={(value) => setFilter('days', value)}
              testId="cost-days"
            />
          </FilterBar>
          <Loaded of={summary} lines={15}>
            {(found) => <Spending summary={found} group={group} days={days} asTable={filters.view === 'table'} />}
          </Loaded>
        </Stack>
      </Card>
      <Together of={[summary, budgets, blame]} lines={6}>
        <Budgets />
        <Blame since={since} />
        <CommandSet
          title="Ask further, in a terminal"
          testId="cost-commands"
          commands={[
            { label: 'Sum up by anything', command: `stateward cost --by ${group},day --since ${count}d` },
            { label: 'Foresee the month', command: 'stateward cost forecast --by project' },
            { label: 'Find the commits that made it dearer', command: `stateward cost blame --since ${count}d` },
            { label: 'See budgets, and what waits for money', command: 'stateward budget' },
          ]}
        />
      </Together>
    </PageFrame>
  )
}

function Spending(props: {
  readonly summary: CostSummary
  readonly group: Group
  readonly days: readonly string[]
  readonly asTable: boolean
}): ReactNode {
  const { summary, group, days, asTable } = props
  const series: readonly CostSeries[] = seriesOf(summary.items, group, days)
  if (series.length === 0)
    return (
      <Empty title="Nothing was spent in this time" icon={Coins}>
        <Command
          label="Record what something cost"
          command={
            'curl -H "Authorization: Bearer $TOKEN" -d \'{"amount_usd":"0.01"}\' -H \'content-type: application/json\' $STATEWARD_URL/api/v1/costs'
          }
          testId="cost-record"
        />
      </Empty>
    )
  return (
    <>
      {asTable ? (
        <CostTable group={group} days={days} series={series} />
      ) : (
        <StackedBars
          label={`What was spent by ${group} on each of ${days.length} days, ${money(summary.total.amount_usd)} in all. The same as a table: button “As a table”.`}
          places={days}
          series={series}
          format={money}
          placeText={(day) => day.slice(5)}
          testId="cost-chart"
        />
      )}
      {summary.items.length < MOST_SUMS ? null : (
        <p className="faint">Only the {MOST_SUMS} largest sums of a day are shown: choose fewer days.</p>
      )}
    </>
  )
}
