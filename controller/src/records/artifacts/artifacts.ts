import type { EventName } from '../../events/catalogue.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Tx } from '../../store/database.ts'
import { appendEvents } from '../../store/log.ts'
import type { NewEvent } from '../../store/ports.ts'
import {
  type ArtifactRow,
  getArtifact,
  insertArtifact,
  keepContent,
  lockArtifact,
  setArtifactContent,
} from '../../store/queries/artifacts.ts'
import { insertFootprint } from '../../store/queries/footprints.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { ContentFiles, Received } from './content-files.ts'

export interface ArtifactDeps {
  readonly store: Store
  readonly files: ContentFiles
  /** Bytes of one artifact, and of all that are kept. */
  readonly limits: { readonly maxBytes: number; readonly maxTotalBytes: number }
}

export interface NewArtifact {
  readonly name: string
  readonly kind: string
  readonly contentType: string
  /** What is announced; null = unknown. */
  readonly byteLength: number | null
  readonly runId: string | null
  readonly stepId: string | null
  readonly metadata: JsonObject
}

export interface By {
  readonly actor: string
  readonly correlationId: string
}

type Bytes = AsyncIterable<Uint8Array>

/** Makes the row; the bytes follow. SW_ARTIFACT_TOO_LARGE when more is announced than an artifact may have. */
export async function createArtifact(deps: ArtifactDeps, artifact: NewArtifact, by: By): Promise<ArtifactRow> {
  const { maxBytes } = deps.limits
  if (artifact.byteLength !== null && artifact.byteLength > maxBytes)
    throw fail('SW_ARTIFACT_TOO_LARGE', `an artifact is at most ${maxBytes} bytes`)
  const row = rowOf(deps, artifact, by.actor)
  await transact(deps.store, (tx) => insertArtifact(tx, row))
  return row
}

/**
 * Takes the bytes of an artifact; when this resolves they are on the disk and the event is in the log. The same bytes again
 * are no error. SW_CONFLICT: it has other bytes. SW_ARTIFACT_TOO_LARGE, SW_ARTIFACTS_FULL: a limit. SW_VALIDATION_FAILED:
 * more or fewer bytes than were announced.
 */
export async function storeArtifact(
  deps: ArtifactDeps,
  artifactId: string,
  content: Bytes,
  by: By,
): Promise<ArtifactRow> {
  if ((await getArtifact(deps.store.engine, artifactId)) === null) throw noArtifact(artifactId)
  const received = await deps.files.receive(content, deps.limits.maxBytes)
  try {
    return await transact(deps.store, async (tx) => {
      const row = await lockArtifact(tx, artifactId)
      if (row === null) throw noArtifact(artifactId)
      if (row.sha256 === received.sha256) return row
      if (row.sha256 !== null) throw fail('SW_CONFLICT', `artifact ${artifactId} has its bytes already`)
      if (row.byte_length !== null && row.byte_length !== received.came)
        throw fail('SW_VALIDATION_FAILED', `${row.byte_length} bytes were announced, ${received.came} came`)
      await keep(tx, deps, received)
      await setArtifactContent(tx, artifactId, received)
      const stored = { ...row, sha256: received.sha256, byte_length: received.bytes }
      await countBytes(tx, deps, stored, received)
      await appendEvents(tx, deps.store, [artifactEvent('stored', stored, deps.store.clock.now(), by)])
      return stored
    })
  } finally {
    await deps.files.discard(received)
  }
}

/** Row and bytes at once, for what Stateward itself keeps. Null when it is there already, or the run has its log. */
export async function keepArtifact(
  deps: ArtifactDeps,
  artifact: NewArtifact & { readonly artifactId?: string; readonly at?: Date; readonly isRunLog?: boolean },
  content: Bytes,
  by: By,
): Promise<ArtifactRow | null> {
  const received = await deps.files.receive(content, deps.limits.maxBytes)
  try {
    return await transact(deps.store, async (tx) => {
      await keep(tx, deps, received)
      const row = {
        ...rowOf(deps, artifact, by.actor),
        sha256: received.sha256,
        byte_length: received.bytes,
        ...(artifact.at === undefined ? {} : { created_at: artifact.at }),
        ...(artifact.artifactId === undefined ? {} : { artifact_id: artifact.artifactId }),
        is_run_log: artifact.isRunLog ?? false,
      }
      if (!(await insertArtifact(tx, row))) return null
      await countBytes(tx, deps, row, received)
      await appendEvents(tx, deps.store, [artifactEvent('stored', row, row.created_at, by)])
      return row
    })
  } finally {
    await deps.files.discard(received)
  }
}

/** The bytes of an artifact. SW_NOT_FOUND: no such artifact, or they have not come. */
export async function readArtifact(
  deps: ArtifactDeps,
  artifactId: string,
): Promise<{ readonly row: ArtifactRow; readonly content: Bytes & NodeJS.ReadableStream }> {
  const row = await getArtifact(deps.store.engine, artifactId)
  if (row === null) throw noArtifact(artifactId)
  if (row.sha256 === null) throw fail('SW_NOT_FOUND', `the bytes of artifact ${artifactId} have not come yet`)
  return { row, content: await deps.files.read(row.sha256) }
}

/** The file gets its name while the row of the bytes is locked: whoever removes unused bytes waits, or was here before. */
async function keep(tx: Tx, deps: ArtifactDeps, received: Received): Promise<void> {
  const { maxTotalBytes } = deps.limits
  if (!(await keepContent(tx, received, maxTotalBytes)))
    throw fail('SW_ARTIFACTS_FULL', `all artifacts together are at most ${maxTotalBytes} bytes`)
  await deps.files.place(received)
}

/** Footprint of what was written: a number that follows from no other row once the artifact is deleted. */
async function countBytes(tx: Tx, { store }: ArtifactDeps, row: ArtifactRow, { bytes }: Received): Promise<void> {
  const now = store.clock.now()
  await insertFootprint(tx, uuidv7(now.getTime()), {
    occurred_at: now,
    env_id: 'default',
    run_id: row.run_id,
    step_id: row.step_id,
    source_kind: 'artifact',
    source_ref: row.artifact_id,
    metric: 'artifact_bytes_written',
    quantity: bytes,
    unit: 'byte',
    class: 'informational',
    dims_json: { kind: row.kind },
  })
}

function rowOf({ store }: ArtifactDeps, artifact: NewArtifact, actor: string): ArtifactRow {
  const now = store.clock.now()
  return {
    artifact_id: uuidv7(now.getTime()),
    name: artifact.name,
    kind: artifact.kind,
    content_type: artifact.contentType,
    byte_length: artifact.byteLength,
    sha256: null,
    created_at: now,
    created_by: actor,
    run_id: artifact.runId,
    step_id: artifact.stepId,
    metadata: artifact.metadata,
    is_run_log: false,
  }
}

export function artifactEvent(verb: 'stored' | 'deleted', row: ArtifactRow, now: Date, by: By): NewEvent {
  return {
    event_id: uuidv7(now.getTime()),
    event_name: `stateward.artifact.${verb}` satisfies EventName,
    occurred_at: now,
    env_id: 'default',
    actor: by.actor,
    correlation_id: by.correlationId,
    run_id: row.run_id,
    step_id: row.step_id,
    resource: { type: 'Artifact', id: row.artifact_id },
    data: {
      name: row.name,
      kind: row.kind,
      content_type: row.content_type,
      byte_length: row.byte_length,
      sha256: row.sha256,
    },
  }
}

function noArtifact(artifactId: string): Error {
  return fail('SW_NOT_FOUND', `there is no artifact ${artifactId}`, { remedy: 'list them: stateward artifacts list' })
}
