import { Scale } from 'lucide-react'
import type { ReactNode } from 'react'
import type { PolicyDecision } from '../../api/reads.ts'
import { useReadList } from '../../api/use-read.ts'
import { Button } from '../../components/button.tsx'
import { Commit } from '../../components/commit.tsx'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { ChoiceField, FilterBar, useFilters } from '../../components/filters.tsx'
import { Stack } from '../../components/layout.tsx'
import { Link } from '../../components/link.tsx'
import { Card, Facts } from '../../components/page.tsx'
import { Empty, Failure } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { JsonBlock } from '../../components/text-block.tsx'
import { Time } from '../../components/time.tsx'
import styles from './policies.module.css'

const EFFECTS = ['allow', 'deny', 'require_approval'] as const
const POINTS = [
  'proposal',
  'run_admission',
  'step_start',
  'tool_call',
  'model_call',
  'spawn',
  'secret_use',
  'intervention',
] as const

const COLUMNS: readonly Column<PolicyDecision>[] = [
  { id: 'effect', header: 'Decision', width: '9.5rem', cell: ({ effect }) => <Status value={effect} look="plain" /> },
  { id: 'action', header: 'Action', width: 'minmax(8rem, 1.2fr)', cell: ({ action }) => <code>{action}</code> },
  {
    id: 'on',
    header: 'On',
    width: 'minmax(7rem, 1.2fr)',
    from: 620,
    cell: ({ resource_type, resource_name }) => `${resource_type} ${resource_name}`,
  },
  { id: 'subject', header: 'Asked by', width: 'minmax(7rem, 1fr)', from: 760, cell: ({ subject }) => subject },
  {
    id: 'rule',
    header: 'Policy and rule',
    width: 'minmax(9rem, 1.5fr)',
    from: 940,
    cell: ({ policy, rule }) => [policy ?? 'only recorded', rule].filter((part) => part !== null).join(' · '),
  },
  { id: 'point', header: 'Point', width: '8rem', from: 1120, cell: ({ point }) => point.replaceAll('_', ' ') },
  {
    id: 'time',
    header: 'When',
    width: '6rem',
    from: 400,
    align: 'end',
    cell: ({ decided_at }) => <Time at={decided_at} />,
  },
]

/** What policies decided, the newest first; `policy` limits it to one. The one that is open stands below, and in the address. */
export function Decisions({ policy = null }: { readonly policy?: string | null }): ReactNode {
  const [filters, setFilter] = useFilters('effect', 'point', 'run', 'decision')
  const found = useReadList('/api/v1/policies/decisions', {
    query: {
      limit: 100,
      policy,
      effect: EFFECTS.find((each) => each === filters.effect),
      point: POINTS.find((each) => each === filters.point),
      run_id: filters.run,
    },
  })
  const open = (found.data ?? []).find(({ decision_id }) => decision_id === filters.decision)
  return (
    <Stack labelledBy="decisions-heading">
      <h2 id="decisions-heading" className={styles['heading']}>
        Decisions
      </h2>
      <FilterBar>
        <ChoiceField
          label="Decision"
          value={filters.effect}
          choices={EFFECTS}
          onChange={(value) => setFilter('effect', value)}
          testId="decisions-effect"
        />
        <ChoiceField
          label="Point"
          value={filters.point}
          choices={POINTS}
          onChange={(value) => setFilter('point', value)}
          testId="decisions-point"
        />
        {filters.run === '' ? null : (
          <Button onClick={() => setFilter('run', '')} testId="decisions-run">
            of one run only: show all
          </Button>
        )}
      </FilterBar>
      {open === undefined ? null : <Decision decision={open} onClose={() => setFilter('decision', '')} />}
      {found.error !== null && found.data === undefined ? (
        <Failure error={found.error} onRetry={() => void found.refetch()} />
      ) : (
        <DataTable
          label="Decisions of policies"
          columns={COLUMNS}
          rows={found.data ?? []}
          rowKey={({ decision_id }) => decision_id}
          onOpen={({ decision_id }) => setFilter('decision', decision_id)}
          selected={filters.decision}
          isLoud={({ effect }) => effect === 'deny'}
          isLoading={found.isPending}
          onEnd={found.hasNextPage ? () => void found.fetchNextPage() : undefined}
          empty={
            <Empty title="No policy decided anything like that" icon={Scale}>
              What no policy is about is allowed, and not recorded.
            </Empty>
          }
          testId="decisions"
        />
      )}
    </Stack>
  )
}

function Decision(props: { readonly decision: PolicyDecision; readonly onClose: () => void }): ReactNode {
  const { decision: each, onClose } = props
  return (
    <Card
      title={`${each.action} by ${each.subject}`}
      testId="decision"
      aside={
        <>
          <Status value={each.effect} />
          <Button onClick={onClose} look="quiet" testId="decision-close">
            Close
          </Button>
        </>
      }
    >
      <Stack>
        <p>{each.reason}</p>
        <Facts
          of={[
            ['On', `${each.resource_type} ${each.namespace === '' ? '' : `${each.namespace}/`}${each.resource_name}`],
            ['Point', each.point.replaceAll('_', ' ')],
            ['Risk', each.risk],
            [
              'Decided by',
              each.policy === null
                ? 'nobody: those about it only record'
                : `${each.policy}, version ${each.policy_version ?? '–'}`,
            ],
            ['Rule', each.rule ?? '–'],
            ['When', <Time key="time" at={each.decided_at} absolute />],
            ['Asked was', <Commit key="digest" id={each.inputs_digest} />],
            [
              'Run',
              each.run_id === null ? (
                '–'
              ) : (
                <Link key="run" href={`/runs/${each.run_id}`}>
                  {each.run_id.slice(0, 13)}
                </Link>
              ),
            ],
            [
              'Proposal',
              each.proposal === null ? (
                '–'
              ) : (
                <Link key="proposal" href={`/proposals/${encodeURIComponent(each.proposal)}`}>
                  {each.proposal}
                </Link>
              ),
            ],
          ]}
        />
        {each.opinions.length === 0 ? null : (
          <ul className={styles['opinions']}>
            {each.opinions.map((opinion, at) => (
              <li key={at} className={styles['opinion']}>
                <strong>{String(opinion['policy'] ?? '')}</strong>
                <Status value={String(opinion['effect'] ?? '')} look="plain" />
                <span className="faint">
                  {[opinion['rule'], opinion['reason'], opinion['enforced'] === false ? 'only recorded' : null]
                    .filter((part) => part != null && part !== '')
                    .join(' · ')}
                </span>
              </li>
            ))}
          </ul>
        )}
        {each.inputs === null ? null : <JsonBlock value={each.inputs} label="What was asked" />}
      </Stack>
    </Card>
  )
}
