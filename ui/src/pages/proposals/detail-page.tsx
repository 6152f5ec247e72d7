import type { ReactNode } from 'react'
import type { ChangeProposal } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { proposalCommands } from '../../commands/proposal-commands.ts'
import { CommandSet } from '../../components/command-set.tsx'
import { Commit } from '../../components/commit.tsx'
import { Patch } from '../../components/diff.tsx'
import { Columns, Stack } from '../../components/layout.tsx'
import { Link } from '../../components/link.tsx'
import { Card, Facts, PageFrame } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { TextBlock } from '../../components/text-block.tsx'
import { Time } from '../../components/time.tsx'
import { Together } from '../../components/together.tsx'
import type { PageProps } from '../../page-props.ts'
import type { PlanDocument } from './plan-document.ts'
import { PlanView } from './plan-view.tsx'
import styles from './proposal.module.css'
import { riskTone, standingOf } from './standing.ts'

/** One proposal: what it would do, whether it may, and how it is decided. */
export function Page({ params }: PageProps): ReactNode {
  const asked = { path: { proposal: params['id'] ?? '' } }
  const proposal = useRead('/api/v1/proposals/{proposal}', asked)
  const plan = useRead('/api/v1/proposals/{proposal}/plan', asked)
  const diff = useRead('/api/v1/proposals/{proposal}/diff', asked)
  const found = proposal.data
  return (
    <PageFrame
      title={found?.title ?? params['id'] ?? ''}
      tab={`Proposal ${params['id']}`}
      crumbs={<Link href="/proposals">Proposals</Link>}
      lead={found === undefined ? undefined : <Lead proposal={found} />}
      aside={found === undefined ? null : <Standing proposal={found} />}
    >
      <Loaded of={proposal} lines={8}>
        {(is) => (
          <Together of={[plan, diff]}>
            {is.description === '' ? null : <TextBlock text={is.description} label="What its author says" />}
            <CommandSet
              title={is.state === 'open' ? 'Decide, in a terminal' : 'Look at it, in a terminal'}
              commands={proposalCommands(is)}
              testId="proposal-commands"
            />
            <Columns first="most">
              <Card title="The plan" testId="proposal-plan">
                <Loaded of={plan} lines={8}>
                  {(document) => <PlanView plan={document as unknown as PlanDocument} />}
                </Loaded>
              </Card>
              <Stack>
                <Checks proposal={is} />
                <About proposal={is} />
              </Stack>
            </Columns>
            <Card
              title="Changed lines"
              testId="proposal-diff"
              aside={`${is.files.length} ${is.files.length === 1 ? 'file' : 'files'}`}
            >
              <Loaded of={diff} lines={8}>
                {({ diff: text, truncated }) => (
                  <>
                    {text === '' ? <p>It changes no line.</p> : <Patch text={text} label={`Changes of ${is.branch}`} />}
                    {truncated ? <p className="faint">It is longer than what is shown: git shows all of it.</p> : null}
                  </>
                )}
              </Loaded>
            </Card>
          </Together>
        )}
      </Loaded>
    </PageFrame>
  )
}

function Lead({ proposal }: { readonly proposal: ChangeProposal }): ReactNode {
  return (
    <>
      by {proposal.author}, opened <Time at={proposal.opened_at} />
      {proposal.run_id === null ? null : (
        <>
          , out of a <Link href={`/runs/${proposal.run_id}`}>run</Link>
        </>
      )}
    </>
  )
}

function Standing({ proposal }: { readonly proposal: ChangeProposal }): ReactNode {
  const { word, tone } = standingOf(proposal)
  return (
    <>
      {proposal.risk === null ? null : <Status value={`${proposal.risk} risk`} tone={riskTone(proposal.risk)} />}
      <Status value={word} tone={tone} />
    </>
  )
}

function Checks({ proposal }: { readonly proposal: ChangeProposal }): ReactNode {
  return (
    <Card title="Checks" flush testId="proposal-checks">
      {proposal.checks.length === 0 ? (
        <Empty title={proposal.check_error ?? 'It is being checked'}>
          The checks run when the branch or the protected one moves.
        </Empty>
      ) : (
        <ul className={styles['checks']}>
          {proposal.checks.map((check) => (
            <li key={check.name} className={styles['check']}>
              <div className={styles['checkHead']}>
                <strong>{check.name}</strong>
                <Status value={check.state} look="plain" />
              </div>
              <p className="faint">{check.summary}</p>
              {check.problems.map((problem) => (
                <p key={`${problem.code} ${problem.message}`} className={styles['problem']}>
                  {problem.file === null ? null : (
                    <code>
                      {[problem.file, problem.line, problem.column].filter((part) => part !== null).join(':')}{' '}
                    </code>
                  )}
                  {problem.message} <span className="faint">{problem.hint}</span>
                </p>
              ))}
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

function About({ proposal }: { readonly proposal: ChangeProposal }): ReactNode {
  const others = proposal.contributors.filter((each) => each !== proposal.author)
  return (
    <Card title="About it" testId="proposal-facts">
      <Facts
        of={[
          ['Branch', <code key="branch">{proposal.branch}</code>],
          ['Head', <Commit key="head" id={proposal.head} />],
          ['Checked against', <Commit key="onto" id={proposal.checked_against} />],
          ['Author', proposal.author],
          ...(others.length === 0 ? [] : [['Others who brought commits', others.join(', ')] as const]),
          ['Plan digest', <Commit key="digest" id={proposal.plan_digest} />],
          ...(proposal.expires_at === null || proposal.closed_at !== null
            ? []
            : [['Ends by itself', <Time key="expires" at={proposal.expires_at} />] as const]),
          ...(proposal.closed_at === null
            ? []
            : ([
                ['Closed', <Time key="closed" at={proposal.closed_at} />],
                ['By', proposal.closed_by ?? '–'],
                ['Why', proposal.reason ?? '–'],
                ['Landed as', <Commit key="landed" id={proposal.landed} />],
              ] as const)),
        ]}
      />
    </Card>
  )
}
