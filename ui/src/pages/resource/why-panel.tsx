import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { Commit } from '../../components/commit.tsx'
import { Link } from '../../components/link.tsx'
import { Card, Facts } from '../../components/page.tsx'
import { Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import styles from './resource.module.css'

/** What is behind the present state of an object: commit, proposal, approvals, decisions of policies, and the run that asked. */
export function WhyPanel(props: {
  readonly kind: string
  readonly namespace: string | null
  readonly name: string
}): ReactNode {
  const { kind, namespace, name } = props
  const why = useRead('/api/v1/objects/why', {
    query: { kind, name, ...(namespace === null ? {} : { namespace }) },
  })
  return (
    <Loaded of={why} lines={10}>
      {(found) => (
        <>
          {found.waits === null ? null : (
            <Card title="A newer change waits">
              <p>{found.waits}</p>
            </Card>
          )}
          <Card title="How it came to be so">
            <Facts
              of={[
                [
                  'Commit',
                  <span key="c">
                    <Link href={`/commits/${found.revision}`}>
                      <Commit id={found.revision} />
                    </Link>{' '}
                    {found.commit?.subject ?? ''}
                  </span>,
                ],
                ['Author', found.commit === null ? '–' : `${found.commit.author.name} <${found.commit.author.email}>`],
                ['Signed by', found.commit?.signed_by ?? 'nobody known'],
                ['Applied', found.applied === null ? '–' : <Time at={found.applied.at} key="a" />],
                ...(found.proposal === null
                  ? []
                  : ([
                      [
                        'Proposal',
                        <Link href={`/proposals/${encodeURIComponent(found.proposal.id)}`} key="p">
                          {found.proposal.title}
                        </Link>,
                      ],
                      ['Proposed by', found.proposal.author],
                      ['Merged by', found.proposal.merged_by ?? '–'],
                    ] as const)),
                ...(found.run === null
                  ? []
                  : ([
                      [
                        'Run that proposed it',
                        <Link href={`/runs/${found.run.run_id}`} key="r">
                          {found.run.name}
                        </Link>,
                      ],
                    ] as const)),
                ['Effective digest', <code key="d">{found.digest.slice(0, 16)}</code>],
              ]}
            />
          </Card>
          {found.approvals.length === 0 ? null : (
            <Card title="Who said something about exactly this change" flush>
              {found.approvals.map((each) => (
                <article key={`${each.actor} ${each.at}`} className={styles['decision']}>
                  <Status value={each.decision === 'approve' ? 'approved' : 'rejected'} />
                  <strong>{each.actor}</strong>
                  <span className={styles['quiet']}>
                    by {each.source}, <Time at={each.at} />
                    {each.reason === null ? '' : `: ${each.reason}`}
                  </span>
                </article>
              ))}
            </Card>
          )}
          {found.decisions.length === 0 ? null : (
            <Card title="What policies decided about it" flush>
              {found.decisions.map((each) => (
                <article key={each.id} className={styles['decision']}>
                  <Status value={each.effect} />
                  <span>{each.reason}</span>
                  <span className={styles['quiet']}>
                    {each.policy ?? 'no policy'}
                    {each.rule === null ? '' : `, rule ${each.rule}`}; risk {each.risk}; <Time at={each.at} />
                  </span>
                </article>
              ))}
            </Card>
          )}
          <Command
            label="The same in a terminal"
            command={`stateward why ${kind.toLowerCase()}/${name}${namespace === null || namespace === 'default' ? '' : ` -n ${namespace}`}`}
          />
        </>
      )}
    </Loaded>
  )
}
