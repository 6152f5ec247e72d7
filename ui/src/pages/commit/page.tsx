import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { Commit } from '../../components/commit.tsx'
import { Stack } from '../../components/layout.tsx'
import { Link } from '../../components/link.tsx'
import { Card, Facts, PageFrame } from '../../components/page.tsx'
import { Loaded } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import type { PageProps } from '../../page-props.ts'
import styles from './commit.module.css'
import { CommitPatch } from './commit-patch.tsx'

/** One commit of the state repo: who made it, why, and what it changed. */
export function Page({ params }: PageProps): ReactNode {
  const revision = params['revision'] ?? ''
  const commit = useRead('/api/v1/commits/{revision}', { path: { revision } })
  return (
    <PageFrame
      title={commit.data?.subject ?? `Commit ${revision.slice(0, 10)}`}
      tab={commit.data?.subject ?? revision.slice(0, 10)}
      crumbs={<Link href="/resources">Resources</Link>}
    >
      <Loaded of={commit} lines={14}>
        {(found) => {
          const rest = found.message.split('\n').slice(1).join('\n').trim()
          return (
            <>
              <Card title="About">
                <Stack>
                  {rest === '' ? null : <p className={styles['message']}>{rest}</p>}
                  <Facts
                    of={[
                      ['Commit', <code key="c">{found.revision}</code>],
                      ['Author', `${found.author.name} <${found.author.email}>`],
                      ['Written', <Time at={found.author.time} key="w" />],
                      ...(found.committer.email === found.author.email
                        ? []
                        : ([['Committer', `${found.committer.name} <${found.committer.email}>`]] as const)),
                      ['Committed', <Time at={found.committer.time} key="t" />],
                      ['Signed by', found.signed_by ?? 'nobody known'],
                      ...(found.parents.length === 0
                        ? []
                        : ([
                            [
                              found.parents.length === 1 ? 'Parent' : 'Parents',
                              found.parents.map((parent, at) => (
                                <span key={parent}>
                                  {at === 0 ? '' : ', '}
                                  <Link href={`/commits/${parent}`}>
                                    <Commit id={parent} />
                                  </Link>
                                </span>
                              )),
                            ],
                          ] as const)),
                      [
                        'Runs pinned to it',
                        <Link href={`/runs?revision=${found.revision}`} key="r">
                          list
                        </Link>,
                      ],
                    ]}
                  />
                </Stack>
              </Card>
              <Card title={found.parents.length > 1 ? 'What it brought to its first parent' : 'What it changed'}>
                <CommitPatch commit={found} />
              </Card>
              <Card title="In a terminal">
                <Command command={`git show ${found.revision.slice(0, 12)}`} label="In a clone of the state repo" />
              </Card>
            </>
          )
        }}
      </Loaded>
    </PageFrame>
  )
}
