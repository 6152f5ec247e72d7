import type { ReactNode } from 'react'
import type { Artifact } from '../../api/reads.ts'
import { useReadList } from '../../api/use-read.ts'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { Empty, Failure } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { bytes } from '../../text/numbers.ts'

const ARTIFACT_COLUMNS: readonly Column<Artifact>[] = [
  { id: 'name', header: 'Name', width: 'minmax(10rem, 2fr)', cell: ({ name }) => name },
  { id: 'kind', header: 'Kind', width: '6rem', cell: ({ kind }) => <span className="quiet">{kind}</span> },
  {
    id: 'type',
    header: 'Type',
    width: 'minmax(8rem, 1fr)',
    cell: ({ content_type }) => <span className="quiet">{content_type}</span>,
    from: 640,
  },
  {
    id: 'size',
    header: 'Size',
    width: '6rem',
    align: 'end',
    cell: ({ byte_length }) => (byte_length === null ? 'not there yet' : bytes(byte_length)),
  },
  {
    id: 'created',
    header: 'Made',
    width: '6rem',
    align: 'end',
    cell: ({ created_at }) => <Time at={created_at} />,
    from: 520,
  },
  {
    id: 'download',
    header: '',
    width: '6rem',
    align: 'end',
    cell: ({ artifact_id, name, sha256 }) =>
      sha256 === null ? null : (
        <a href={`/api/v1/artifacts/${artifact_id}/download`} download={name} data-testid={`download-${artifact_id}`}>
          Download
        </a>
      ),
  },
]

/** What a run, or one step of it, left behind. */
export function ArtifactsPanel(props: { readonly runId: string; readonly stepId?: string }): ReactNode {
  const { runId, stepId } = props
  const artifacts = useReadList('/api/v1/artifacts', { query: { run_id: runId, step_id: stepId, limit: 200 } })
  if (artifacts.error !== null && artifacts.data === undefined)
    return <Failure error={artifacts.error} onRetry={() => void artifacts.refetch()} />
  return (
    <DataTable
      label="Artifacts"
      columns={ARTIFACT_COLUMNS}
      rows={artifacts.data ?? []}
      rowKey={({ artifact_id }) => artifact_id}
      href={({ artifact_id }) => `/artifacts/${artifact_id}`}
      onEnd={artifacts.hasNextPage ? () => void artifacts.fetchNextPage() : undefined}
      isLoading={artifacts.data === undefined}
      empty={<Empty title="No artifacts">Steps store them with the tool artifacts.put, agents over the API.</Empty>}
      testId="artifacts"
    />
  )
}
