import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Commit } from '../../components/commit.tsx'
import { Patch } from '../../components/diff.tsx'
import { Stack } from '../../components/layout.tsx'
import { Link } from '../../components/link.tsx'
import { Card } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Shortened, useArtifactText } from './artifact-text.tsx'
import styles from './run.module.css'

/** Commits that came out of a run: what it proposed to the state repo, and what it committed elsewhere, as patches. */
export function CommitsPanel({ runId }: { readonly runId: string }): ReactNode {
  const proposals = useRead('/api/v1/proposals', { query: { run: runId, limit: 100 } })
  const patches = useRead('/api/v1/artifacts', { query: { run_id: runId, kind: 'patch', limit: 100 } })
  return (
    <Loaded of={proposals} lines={8}>
      {({ items }) => {
        const stored = patches.data?.items ?? []
        if (items.length === 0 && stored.length === 0)
          return (
            <Empty title="The run committed nothing">
              What it proposes to the state repo, or commits with git.commit, is shown as a patch.
            </Empty>
          )
        return (
          <Stack>
            {items.map((proposal) => (
              <Card
                key={proposal.id}
                title={proposal.title}
                aside={
                  <>
                    <Status value={proposal.state} look="plain" />
                    <Commit id={proposal.head} />
                    <Link href={`/proposals/${encodeURIComponent(proposal.id)}`}>Proposal</Link>
                  </>
                }
              >
                <ProposalPatch id={proposal.id} />
              </Card>
            ))}
            {stored.map((artifact) => (
              <Card
                key={artifact.artifact_id}
                title={artifact.name}
                aside={<Link href={`/artifacts/${artifact.artifact_id}`}>Artifact</Link>}
              >
                <StoredPatch id={artifact.artifact_id} label={artifact.name} />
              </Card>
            ))}
          </Stack>
        )
      }}
    </Loaded>
  )
}

function ProposalPatch({ id }: { readonly id: string }): ReactNode {
  const diff = useRead('/api/v1/proposals/{proposal}/diff', { path: { proposal: id } })
  return (
    <Loaded of={diff} lines={6}>
      {({ diff: text, truncated }) => (
        <>
          <Patch text={text} label={`Patch of ${id}`} />
          {truncated ? <p className={styles['none']}>It is longer than what is shown.</p> : null}
        </>
      )}
    </Loaded>
  )
}

function StoredPatch({ id, label }: { readonly id: string; readonly label: string }): ReactNode {
  return (
    <Loaded of={useArtifactText(id)}>
      {({ text, isWhole }) => (
        <>
          <Patch text={text} label={label} />
          <Shortened isWhole={isWhole} />
        </>
      )}
    </Loaded>
  )
}
