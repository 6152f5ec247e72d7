import type { ReactNode } from 'react'
import { shellWord } from '../../../../controller/src/lib/shell-word.ts'
import { useRead } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { Link } from '../../components/link.tsx'
import { Card, Facts, PageFrame } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { JsonBlock } from '../../components/text-block.tsx'
import { Time } from '../../components/time.tsx'
import type { PageProps } from '../../page-props.ts'
import { bytes, whole } from '../../text/numbers.ts'
import { ArtifactText } from '../run/artifact-text.tsx'
import styles from '../run/run.module.css'
import runs from '../runs/runs.module.css'

const READABLE = /^(?:text\/|application\/(?:json|.*\+json|xml|.*\+xml|yaml|x-yaml|toml|x-ndjson|javascript|sql))/

/** One artifact: what is known of it, its text where it is text, and a way to get it. */
export function Page({ params }: PageProps): ReactNode {
  const artifact = useRead('/api/v1/artifacts/{artifact_id}', { path: { artifact_id: params['artifact'] ?? '' } })
  const { data } = artifact
  return (
    <PageFrame
      title={data?.name ?? 'Artifact'}
      crumbs={<Link href="/artifacts">Artifacts</Link>}
      aside={
        data?.sha256 == null ? undefined : (
          <a
            className={runs['action']}
            href={`/api/v1/artifacts/${data.artifact_id}/download`}
            download={data.name}
            data-testid="artifact-download"
          >
            Download{data.byte_length === null ? '' : `, ${bytes(data.byte_length)}`}
          </a>
        )
      }
    >
      <Loaded of={artifact} lines={10}>
        {(found) => (
          <>
            <Card title="About">
              <Facts
                of={[
                  ['Kind', found.kind],
                  ['Type', found.content_type],
                  [
                    'Size',
                    found.byte_length === null
                      ? 'not there yet'
                      : `${bytes(found.byte_length)} (${whole(found.byte_length)})`,
                  ],
                  ['Made', <Time at={found.created_at} key="m" />],
                  ['By', found.created_by],
                  ...(found.run_id === null
                    ? []
                    : ([
                        [
                          'Run',
                          <Link href={`/runs/${found.run_id}`} key="r">
                            <code>{found.run_id.slice(0, 13)}</code>
                          </Link>,
                        ],
                      ] as const)),
                  ['SHA-256', <code key="s">{found.sha256 ?? 'not there yet'}</code>],
                  ['Id', <code key="i">{found.artifact_id}</code>],
                ]}
              />
            </Card>
            {Object.keys(found.metadata).length === 0 ? null : (
              <Card title="Metadata">
                <JsonBlock value={found.metadata} label="Metadata" />
              </Card>
            )}
            <Card title="In a terminal">
              <Command
                command={`stateward artifacts get ${found.artifact_id} --file ${shellWord(found.name)}`}
                label="Fetch it"
              />
            </Card>
            <Card title="Content">
              {found.sha256 === null ? (
                <Empty title="Its bytes have not come yet">Whoever announced it still has to send them.</Empty>
              ) : READABLE.test(found.content_type) ? (
                <ArtifactText id={found.artifact_id} label={found.name} />
              ) : (
                <p className={styles['none']}>
                  It is no text. Download it to look at it; this page shows nothing that it could run.
                </p>
              )}
            </Card>
          </>
        )}
      </Loaded>
    </PageFrame>
  )
}
